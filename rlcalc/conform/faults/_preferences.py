"""Faults that losses of pairs of answers have in common."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault

SIDES = ("chosen", "rejected")
# what is given of each answer, with its side in the place of the dash
_OF_AN_ANSWER = ("{}", "ref_{}", "{}_lengths")


def _rejected(arrays: Arrays) -> list[str]:
    """The log-probabilities of the rejected answer, those of a reference too."""
    return [name for name in ("rejected", "ref_rejected") if arrays.get(name) is not None]


@argument_fault("swapped")
def answers_swapped(arrays: Arrays) -> Arrays:
    """Prefers the rejected answer.

    Shown when: A margin that is not 0.
    Cause: The columns of the data set, or the halves of a batch of both, were taken in the other order.
    Fix: The chosen answer comes first.
    - margin = rejected - chosen
    + margin = chosen - rejected
    """
    pairs = [tuple(name.format(side) for side in SIDES) for name in _OF_AN_ANSWER]
    turned = {name: arrays.get(other) for pair in pairs for name, other in (pair, pair[::-1])}
    return {name: value for name, value in turned.items() if name in arrays}


@argument_fault("sign")
def answers_added(arrays: Arrays) -> Arrays:
    """Adds the rejected answer to the chosen one: both become more likely.

    Shown when: A rejected answer that is not at 0.
    Cause: A plus where a minus belongs.
    Fix: The margin is the chosen answer minus the rejected one.
    - margin = chosen + rejected
    + margin = chosen - rejected
    """
    return {name: -arrays[name] for name in _rejected(arrays)}


@argument_fault("weighting")
def rejected_without_beta(arrays: Arrays) -> Arrays:
    """Multiplies the chosen answer by β, and not the rejected one.

    Shown when: A rejected answer that is not at 0, and a β other than 1.
    Cause: The bracket around the difference is missing.
    Fix: β times the difference.
    - logits = beta * chosen - rejected
    + logits = beta * (chosen - rejected)
    """
    return {name: (arrays[name] / _beta(arrays)).astype(arrays[name].dtype) for name in _rejected(arrays)}


@argument_fault("ignored")
def beta_ignored(arrays: Arrays) -> Arrays:
    """Takes the margin as it is, whatever β is.

    Shown when: A β other than 1.
    Cause: β is accepted and never used.
    Fix: Multiply the margin by β before σ.
    - losses = -F.logsigmoid(margin)
    + losses = -F.logsigmoid(beta * margin)
    """
    return {"beta": _beta(arrays) * 0 + 1}


@argument_fault("weighting")
def divided_by_beta(arrays: Arrays) -> Arrays:
    """Divides the margin by β.

    Shown when: A β other than 1.
    Cause: β was read as a temperature.
    Fix: Multiply: a small β lets the policy go far before the loss is content.
    - losses = -F.logsigmoid(margin / beta)
    + losses = -F.logsigmoid(beta * margin)
    """
    return {"beta": 1 / _beta(arrays)}


@fault("weighting", stage="inputs")
def beta_outside_the_sigmoid(form: Form, /, **arrays: Any) -> Outputs:
    """Multiplies the loss by β, not the margin.

    Shown when: A β other than 1.
    Cause: A bracket closed too early: β stands before the logarithm of σ.
    Fix: −log σ(β·h): β says how far the policy may go, a factor of the loss says nothing.
    - loss = -beta * F.logsigmoid(margin).mean()
    + loss = -F.logsigmoid(beta * margin).mean()
    """
    beta = _beta(arrays)
    right, found = form(**arrays), form(**{**arrays, "beta": beta * 0 + 1})
    return {**right, "losses": beta * found["losses"], "loss": beta * found["loss"]}


def _beta(arrays: Arrays) -> Any:
    """β in the dtype of the answers; what it is by default is 1/10, or 2 where there is no reference."""
    usual = 0.1 if "ref_chosen" in arrays else 2.0
    beta = usual if arrays.get("beta") is None else arrays["beta"]
    return np.asarray(beta, arrays["chosen"].dtype)[()]


OF_BETA = rejected_without_beta, beta_ignored, divided_by_beta, beta_outside_the_sigmoid
