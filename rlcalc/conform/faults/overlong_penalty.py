"""Faults of the soft punishment of overlong answers."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, argument_fault, fault, given, sets


@fault("clipping")
def step_at_the_limit(form: Form, /, **arrays: Any) -> Outputs:
    """Punishes from the limit on, and nothing before it.

    Shown when: A length within the buffer.
    Cause: The hard punishment was taken for the soft one.
    Fix: A line over the buffer, from 0 to −factor.
    - penalty = -factor * (length >= max_length)
    + penalty = -factor * min(max(length - (max_length - buffer), 0), buffer) / buffer
    """
    found = form(**arrays)["penalty"]
    return {"penalty": np.where(arrays["lengths"] >= arrays["max_length"], found, 0 * found)}


@fault("indexing")
def limit_for_the_start(form: Form, /, **arrays: Any) -> Outputs:
    """Begins the line at the limit, not a buffer before it.

    Shown when: Every length above the start of the buffer.
    Cause: The buffer was thought to begin at the limit.
    Fix: e = L − (L_max − B).
    - exceed = length - max_length
    + exceed = length - (max_length - buffer)
    """
    return dict(form(**{**arrays, "lengths": np.maximum(arrays["lengths"] - arrays["buffer"], 0)}))


@fault("clipping")
def zero_clamp_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Rewards short answers: the line goes on above 0.

    Shown when: A length below the start of the buffer.
    Cause: min(−e/B, 0) was written without the minimum.
    Fix: 0 where e is negative.
    - penalty = -exceed / buffer * factor
    + penalty = min(-exceed / buffer * factor, 0)
    """
    factor = given(arrays, "factor", 1.0)
    excess = arrays["lengths"] - (arrays["max_length"] - arrays["buffer"])
    found = form(**arrays)["penalty"]
    line = (-factor * (excess / arrays["buffer"])).astype(found.dtype)
    return {"penalty": np.where(excess < 0, line, found)}


@sets("ignored", factor=1.0)
def factor_ignored() -> None:
    """Punishes with −1 at the limit whatever factor is given.

    Shown when: A factor other than 1.
    Cause: The option is accepted and never used.
    Fix: Multiply by the factor.
    - penalty = -exceed / buffer
    + penalty = -exceed / buffer * factor
    """


@fault("sign")
def sign_of_a_cost(form: Form, /, **arrays: Any) -> Outputs:
    """Returns a positive punishment, which is then added to the score.

    Shown when: A length within the buffer or beyond.
    Cause: A cost was returned where a reward is expected.
    Fix: The punishment is negative.
    - return exceed / buffer * factor
    + return -exceed / buffer * factor
    """
    return {"penalty": -form(**arrays)["penalty"]}


@fault("ignored", "volcengine/verl issue #4268")
def never_punished(form: Form, /, **arrays: Any) -> Outputs:
    """Gives 0 for every length.

    Shown when: A length above the start of the buffer.
    Cause: The punishment is an option of one reward manager, and another one ran without a word.
    Fix: Add it wherever it is asked for, and refuse it where it is not implemented.
    - reward = score
    + reward = score + overlong_penalty(length)
    """
    return {"penalty": 0 * form(**arrays)["penalty"]}


@argument_fault("swapped", "modelscope/ms-swift PR #5557", "volcengine/verl issue #3855")
def buffer_for_the_start(arrays: Arrays) -> Arrays:
    """Begins the line at the length of the buffer, and lets it reach the limit from there.

    Shown when: A length above the buffer, unless that is half of the limit.
    Cause: The interval was printed the other way round: what is kept free before the limit was read from 0.
    Fix: The line begins a buffer before the limit, and is as long as the buffer.
    - penalty = -(length - buffer) / (max_length - buffer)
    + penalty = -(length - (max_length - buffer)) / buffer
    """
    rest = arrays["max_length"] - arrays["buffer"]
    return {"buffer": rest} if rest > 0 else {}
