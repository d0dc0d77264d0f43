"""Faults of the loss of simple preference optimisation."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import argument_fault, fault
from rlcalc.conform.forms import Arrays, Form, Outputs


def _number(arrays: Arrays, name: str, default: float) -> Any:
    value = arrays.get(name)
    return default if value is None else value


@argument_fault(
    "gamma-as-ratio",
    "weighting",
    reported_in=["huggingface/trl PR #5071", "huggingface/trl PR #1703", "huggingface/trl PR #1725"],
)
def gamma_as_ratio(arrays: Arrays) -> Arrays:
    """Subtracts γ·β: takes γ for the ratio of margin and scale.

    Shown when: A γ above 0 and a β other than 1.
    Cause: The paper names γ, its code and others the ratio γ/β, under one name.
    Fix: Subtract γ, or name the option a ratio.
    Diff:
        - logits = beta * (margin - gamma)
        + logits = beta * margin - gamma
    """
    return {"gamma": _number(arrays, "gamma", 0.5) * _number(arrays, "beta", 2.0)}


@argument_fault(
    "sums-compared",
    "reduction",
    reported_in=[
        "princeton-nlp/SimPO issue #4",
        "princeton-nlp/SimPO issue #7",
        "princeton-nlp/SimPO issue #13",
        "princeton-nlp/SimPO issue #32",
        "princeton-nlp/SimPO issue #59",
        "hiyouga/LlamaFactory issue #7301",
    ],
)
def sums_compared(arrays: Arrays) -> Arrays:
    """Compares sums over the tokens, so that the shorter answer wins.

    Shown when: An answer of more than one token.
    Cause: The loss function takes averages that its caller has to make, and gets sums.
    Fix: Divide each sum by the number of tokens, or name the arguments averages.
    Diff:
        - logps = (token_logps * mask).sum(-1)
        + logps = (token_logps * mask).sum(-1) / mask.sum(-1)
    """
    return {name: np.ones_like(arrays[name]) for name in ("chosen_lengths", "rejected_lengths")}


@argument_fault("margin-forgotten", "ignored")
def margin_forgotten(arrays: Arrays) -> Arrays:
    """Leaves γ out.

    Shown when: A γ above 0.
    Cause: A loss of DPO without reference was taken.
    Fix: Subtract γ within σ.
    Diff:
        - losses = -F.logsigmoid(beta * margin)
        + losses = -F.logsigmoid(beta * margin - gamma)
    """
    return {"gamma": 0.0}


@argument_fault("margin-added", "sign")
def margin_added(arrays: Arrays) -> Arrays:
    """Adds γ.

    Shown when: A γ above 0.
    Cause: The margin is taken for a head start of the chosen answer.
    Fix: Subtract it: the chosen answer has to lead by it.
    Diff:
        - losses = -F.logsigmoid(beta * margin + gamma)
        + losses = -F.logsigmoid(beta * margin - gamma)
    """
    return {"gamma": -_number(arrays, "gamma", 0.5)}


@fault("logarithm-of-the-sigmoid", "precision")
def logarithm_of_the_sigmoid(form: Form, /, **arrays: Any) -> Outputs:
    """Takes the logarithm of a computed σ, which has become 0.

    Shown when: A difference below −104 in single or −745 in double precision: the loss is infinite.
    Cause: The formula was written down as it is printed.
    Fix: Use logsigmoid.
    Diff:
        - losses = -torch.log(torch.sigmoid(logits))
        + losses = -F.logsigmoid(logits)
    """
    found = dict(form(**arrays))
    with np.errstate(all="ignore"):
        losses = -np.log(np.exp(-found["losses"]))
    return {**found, "losses": losses, "loss": losses.mean(-1)}
