"""What the failures of a run have in common, and when they say nothing about the function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from rlcalc._lazy import np
from rlcalc.conform.binding.families.samples import OF_SQUARES
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.faults import catalogue
from rlcalc.conform.outcome import Judgement, Outcome
from rlcalc.conform.probing.probes import steps_of
from rlcalc.conform.target.base import one_per_step
from rlcalc.conform.trial import Trial
from rlcalc.conform.vectors import Vector
from rlcalc.errors import InputError
from rlcalc.nested import flatten

# answers that are one number by no accident
ENOUGH = 5


def in_common(judgements: Sequence[Judgement]) -> str:
    """The one thing that all failures use and nothing that passed does, in a sentence; empty without one.

    An exponential that overflows, or a logarithm of a probability that became 0, is right but for extremes.
    """
    ran = [j for j in judgements if j.status != "skipped"]
    failed = [j for j in ran if j.failed]
    passed = [j for j in ran if not j.failed]
    if not failed or not passed:
        return ""
    if all(map(_no_number, failed)):
        count = len({j.vector.id for j in passed} - {j.vector.id for j in failed})
        only = "It is right but for extremes: it fails only where its answer is inf or nan"
        return f"{only}, and {count} vectors pass." if count else ""
    for words, uses in _USES.items():
        if all(uses(j.vector) for j in failed) and not any(uses(j.vector) for j in passed):
            count = len({j.vector.id for j in passed})
            return f"All {count} vectors without {words} pass; all that fail have {words}."
    return ""


def _no_number(judgement: Judgement) -> bool:
    """Whether an answer failed by being inf or nan."""
    got = judgement.got
    return got is not None and not bool(np.isfinite(np.asarray(got, float)).all())


def only_number(trial: Trial, outcomes: Mapping[str, Outcome]) -> float | None:
    """The one number of which all answers consist, where right ones differ; ``None`` if they vary."""
    answered = [v for v in trial.vectors if v.id in outcomes and outcomes[v.id].kind == "answer"]
    given = {float(x) for v in answered for array in outcomes[v.id].outputs.values() for x in array.flat}
    right = {x for v in answered for truth in v.truth.values() for x in flatten(truth)}
    return min(given) if len(given) == 1 and len(answered) >= ENOUGH and len(right) >= ENOUGH else None


def _flagged(vector: Vector, name: str, before_last: bool) -> bool:
    flags = vector.arrays.get(name)
    if flags is None or not getattr(flags, "ndim", 0):
        return False
    return bool(flags[..., :-1].any() if before_last else flags.any())


_NO_ANSWER = ("raises", "wrong-shape")
_USES: dict[str, Callable[[Vector], bool]] = {
    "batches": lambda v: bool(v.rows),
    "discounts per step": lambda v: one_per_step(v, "gamma") if "gamma" in v.arrays else False,
    "an episode that ends before the last step": lambda v: any(
        _flagged(v, name, True) for name in ("terminated", "truncated")
    ),
    "truncation": lambda v: _flagged(v, "truncated", False),
    "terminations": lambda v: _flagged(v, "terminated", False),
    "next values": lambda v: v.arrays.get("next_values") is not None and "next_values" in v.given,
    "sequences of one step": lambda v: steps_of(v) == 1,
}


def refuse_unread(trial: Trial, read: Binding | None, judged: Sequence[Judgement]) -> None:
    """Refuse to judge a function that no reading of its parameters fits: no answer has the right shape.

    The shape may be that of an answer under a convention, such as the mean over a batch: then the function
    is read, and wrong.

    Raises:
        InputError: ``target_signature``.
    """
    asked = [j for j in judged if j.status != "skipped"]
    if read is None or read.agreed not in ("part", "names"):
        return
    if read.roles & OF_SQUARES:
        raise InputError(
            "target_signature",
            f"{trial.target.name} was read as {read.formula} of two critics or with weights, whose squared "
            "errors were to add up; they do not, which another loss of an error does not either.",
            "Judge the loss of one critic by itself; weights are left out with --map weights=number:1.",
        )
    if "n" in read.fixed:
        raise InputError(
            "target_signature",
            f"{trial.target.name} takes no n, and no number in its body is the n of its answer.",
            "If it sums all the rewards that it keeps, say --formula discounted-return; if it computes "
            "n-step returns of one n alone, write it so that n is an argument.",
        )
    if any(j.status not in _NO_ANSWER for j in asked):
        return
    first = next((j for j in asked if j.status == "wrong-shape"), None)
    if first is not None:
        ways = [way for way in catalogue(read.formula).conventions if way.call is None]
        tries = (trial.judgement(first.vector, first.dtype, (way,)) for way in ways)
        if any(j.status not in _NO_ANSWER for j in tries):
            return
    places = ", ".join(f"{path} = {role}" for path, role in read.inputs.items())
    detail = next((j.why or j.outcome.detail for j in asked if j.outcome is not None), "")
    raise InputError(
        "target_signature",
        f"{trial.target.name} was read as {read.formula} ({places}), and gives no such answer: {detail}",
        "If it is another formula, say so with --formula; if a parameter means something else, with --map, "
        f"for example --map {next(iter(read.inputs), 'x')}=none.",
    )
