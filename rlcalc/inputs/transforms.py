"""What `torch.compile`, `torch.func` and half precision do not take, and why: all of it in one place.

Every Torch form is plain tensor operations, so that one graph of
`torch.compile(fullgraph=True)`, `vmap`, `grad`, `jvp`, a vectorised Jacobian and
half precision work. The few that need numbers or words before there is a
tensor are refused here by their names; without ``fullgraph=True`` a compiler
leaves such a call out of its graphs, and the answer is the usual one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from rlcalc._lazy import torch
from rlcalc.backends import is_tensor
from rlcalc.errors import InputError


@dataclass(frozen=True)
class Refusal:
    """What a Torch form cannot be put into.

    Attributes:
        way: its name; why: what stands against it; instead: what to do.
        applies: whether the call at hand is one of those.
        compiled: whether it is a compiler that cannot, which may go on without.
    """

    way: str
    why: str
    instead: str
    applies: Callable[[Mapping[str, Any]], bool]
    compiled: bool = False


ONE_GRAPH = "torch.compile(fullgraph=True)"


def _always(inputs: Mapping[str, Any]) -> bool:
    return True


def _words(inputs: Mapping[str, Any]) -> bool:
    return not is_tensor(inputs["states"])


def _mapped_k(inputs: Mapping[str, Any]) -> bool:
    return is_tensor(inputs["k"]) and torch._C._functorch.is_batchedtensor(inputs["k"])


REFUSED = {
    "bellman": Refusal(
        ONE_GRAPH,
        "it finds a first policy of an exact process before there is a tensor",
        "Leave out fullgraph=True.",
        _always,
        compiled=True,
    ),
    "policy_gradient": Refusal(
        ONE_GRAPH,
        "it enumerates the trajectories of an exact process before there is a tensor",
        "Leave out fullgraph=True.",
        _always,
        compiled=True,
    ),
    "traces": Refusal(
        ONE_GRAPH,
        "names of states are words, and no part of a graph",
        "Give states as a tensor of indices.",
        _words,
        compiled=True,
    ),
    "pass_at_k": Refusal(
        "torch.func.vmap over k",
        "the number of factors is read from k",
        "Give k with its batch axes: the formula takes them.",
        _mapped_k,
    ),
}


def guarded(formula: str, form: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """The Torch form of a formula, which refuses what the table says.

    A compiler that wants one graph says the reason in an error of its own;
    one that does not calls the form as it is.

    Raises:
        InputError: ``not_in_transform``, from the form.
    """
    refusal = REFUSED.get(formula)
    if refusal is None:
        return form
    message = f"{formula} does not work in {refusal.way}: {refusal.why}."
    words = {"msg": f"{message} {refusal.instead}"} if _takes_words() else {}

    def torch_form(**inputs: Any) -> dict[str, Any]:
        if refusal.compiled:
            if torch.compiler.is_compiling() and refusal.applies(inputs):
                torch._dynamo.graph_break(**words)
        elif refusal.applies(inputs):
            raise InputError("not_in_transform", message, refusal.instead)
        return form(**inputs)

    return torch_form


def _takes_words() -> bool:
    """Whether a break of the graph can say why, which it cannot in Torch 2.3."""
    try:
        return not version("torch").startswith("2.3.")
    except PackageNotFoundError:
        return True
