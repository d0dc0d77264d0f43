"""The constants of conventions, found from what a target answers.

A user chooses the ε beside a deviation, the bound of a clamp, the constant of
a dual clip. Nothing about them is typed in: of each vector whose answer
depends on one constant alone, the values are found by bisection that give the
target's answer to all its digits. What all such vectors agree on, in as few
decimals as they leave room for, is the constant. It has to show in two
vectors; one proves nothing, since some constant gives any one answer.
Whoever asks must still hold the result to every vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.convention import Constant, Convention
from rlcalc.conform.fault import Fault
from rlcalc.conform.forms import Form
from rlcalc.conform.naming.composition import composed
from rlcalc.conform.outcome import Outcome
from rlcalc.conform.target.call import quiet
from rlcalc.conform.vectors import Vector, reference
from rlcalc.nested import map_nested

# roundings that an answer may be off by while a constant is looked for
ROUNDINGS = 64
UNIT = {"float64": 2.0**-52, "float32": 2.0**-23}
# where a constant does not show, an answer must agree as closely as a right one does
ELSEWHERE = {"float64": 1e-9, "float32": 1e-3}
# units in the last place that a constant beside a number of ordinary size is lost in
UNSEEN = 1000
# a rounding of this share of what a constant can change hides which it is
HIDES = 1e-6
# vectors to look at for each constant, and in how many it has to show; how well they must fix it
ENOUGH, LEAST, NARROW = 6, 2, 1.2
# what people write for an ε; larger ones show in single precision
LOST_IN_FLOAT32 = ((0.0,), (1e-8,), (1e-5,), (1e-4,), (1e-6,), (1e-7,), (1e-9,), (1e-10,), (1e-12,))
# what single precision leaves of a small constant is often its power of ten
NARROW_IN_FLOAT32 = 20
STEPS = 60
# halvings that show soon that answers ask for different values, as those of nearly all wrong guesses do
FEW_STEPS = 10
MOST_DIGITS = 12

Values = tuple[float, ...]


@dataclass(frozen=True)
class _Open:
    """A form whose constants are asked for, as a function of them."""

    faults: tuple[Fault, ...]
    chosen: tuple[Convention, ...]
    outside: bool
    _arrays: dict[str, Mapping[str, Any]] = field(default_factory=dict, compare=False)

    @property
    def constants(self) -> list[Constant]:
        parts: list[Fault | Convention] = [*self.faults, *self.chosen]
        return [constant for part in parts if part.open for constant in part.constants]

    def closed(
        self, values: Sequence[float], named: bool = False
    ) -> tuple[tuple[Fault, ...], tuple[Convention, ...]]:
        """Faults and conventions with values; named only where someone will read them."""
        left = list(values)

        def filled(part: Any) -> Any:
            mine = tuple(left.pop(0) for _ in part.constants) if part.open else ()
            return part.with_values(mine) if named and mine else replace(part, values=mine or part.values)

        return tuple(map(filled, self.faults)), tuple(map(filled, self.chosen))

    def answer(self, vector: Vector, values: Sequence[float]) -> Mapping[str, Any]:
        form: Form = composed(*self.closed(values), reference(vector.formula), self.outside)
        try:
            with quiet(RuntimeWarning):
                found = form(**self._given(vector))
        except Exception:  # a fault may be one that raises
            return {}
        return {name: np.asarray(value) for name, value in found.items() if value is not None}

    def _given(self, vector: Vector) -> Mapping[str, Any]:
        """The inputs, made once for the many values that are tried: our own forms change none of them."""
        if vector.id not in self._arrays:
            self._arrays[vector.id] = vector.cast("float64")
        return self._arrays[vector.id]


def fitted(
    chosen: Sequence[Convention],
    vectors: Sequence[Vector],
    outcomes: Callable[[Vector], Outcome | None],
    dtype: str = "float64",
    faults: tuple[Fault, ...] = (),
    outside: bool = False,
) -> tuple[tuple[Fault, ...], tuple[Convention, ...]] | None:
    """Faults and conventions with their constants filled in; ``None`` where none explain the answers.

    Args:
        chosen: some of them open.
        vectors: those likely to show the constants first.
        outcomes: what the target answers.
        dtype: that the target computes in.
        faults: that it has besides, as ``composed`` takes them.
    """
    whole = _Open(faults, tuple(chosen), outside)
    constants = whole.constants
    if not constants:
        return whole.faults, whole.chosen
    for steps in (FEW_STEPS, STEPS):
        seen = _intervals(whole, vectors, outcomes, dtype, steps)
        if seen is None:
            return None
    values = []
    for constant, some in zip(constants, seen or (), strict=True):
        value = _agreed(constant, some, dtype)
        if value is None:
            return None
        values.append(value)
    return whole.closed(values, named=True)


def lost_in_float32(
    chosen: Sequence[Convention], families: Sequence[Convention]
) -> Iterator[tuple[Convention, ...]]:
    """Conventions with every other ε that single precision cannot tell from theirs; none without such."""
    # some have a name of their own besides their family's
    of = {way.change: way for way in families}
    lost = [way for way in chosen if way.values in LOST_IN_FLOAT32 and way.change in of]
    for values in LOST_IN_FLOAT32 if lost else ():
        yield tuple(of[way.change].with_values(values) if way in lost else way for way in chosen)


def _intervals(
    whole: _Open,
    vectors: Sequence[Vector],
    outcomes: Callable[[Vector], Outcome | None],
    dtype: str,
    steps: int,
) -> list[list[tuple[float, float]]] | None:
    """For each constant the values that some answers leave; ``None`` where they contradict each other."""
    constants = whole.constants
    low, high = [c.low for c in constants], [c.high for c in constants]
    seen: list[list[tuple[float, float]]] = [[] for _ in constants]
    for vector in vectors:
        outcome = outcomes(vector)
        if outcome is None or outcome.kind != "answer":
            continue
        least, most = whole.answer(vector, low), whole.answer(vector, high)
        common = least.keys() & most.keys() & outcome.outputs.keys() & vector.truth.keys()
        common -= {o.name for o in vector.formula.outputs if o.of in common}  # seen in the whole already
        for name in common:
            got, one, other = (np.asarray(x[name], float) for x in (outcome.outputs, least, most))
            if not got.shape == one.shape == other.shape:
                return None
            off = ELSEWHERE[dtype] * max(vector.scale, 1.0 if not vector.scale else 0.0)
            if all(constant.zero for constant in constants):
                # a constant of 0 divides 0 by 0 where any other gives 0
                got = np.where(np.isnan(got), one, got)
            if not _between(got, one, other, off) and not _between(
                got, one, other, off + slack_of(whole.closed(low)[1], vector, dtype)
            ):
                return None
        if len(common) != 1 and len(constants) > 1:
            continue
        for name in common:
            shown = _shown(whole, vector, name, outcome.outputs[name], (low, high), dtype)
            if shown is None or len(seen[shown.index]) >= ENOUGH:
                continue
            if shown.bounds(constants[shown.index]):
                some = seen[shown.index]
                some.append(shown.interval(constants[shown.index], steps))
                if max(low for low, _ in some) > min(high for _, high in some):
                    return None
        if all(len(some) >= ENOUGH for some in seen):
            break
    return seen


def slack_of(conventions: Sequence[Convention], vector: Vector, dtype: str) -> Any:
    """The absolute errors that rounding makes under conventions, broadcast to an answer; mostly 0."""
    found: Any = 0.0
    for way in conventions:
        if way.slack is not None:
            form = composed((), [c for c in conventions if c is not way], reference(vector.formula))
            with quiet(RuntimeWarning):
                found = found + ROUNDINGS * UNIT[dtype] * way.slack(form, vector.arrays, *way.values)
    return found


def without_rounding(outcome: Outcome, truth: Mapping[str, Any], slack: Any) -> Outcome:
    """The outcome, with the truth where it is off by no more than rounding makes it."""
    if outcome.kind != "answer" or not np.any(slack):
        return outcome
    outputs = dict(outcome.outputs)
    for name in outputs.keys() & truth.keys():
        right = truth[name]
        right = right if isinstance(right, np.ndarray) else np.array(map_nested(float, right))
        got = outputs[name]
        if got.shape == right.shape and np.broadcast_shapes(np.shape(slack), got.shape) == got.shape:
            with np.errstate(all="ignore"):
                near = np.abs(got - right) <= slack
                # of a division by what is 0 but for rounding, 0/0 is an answer as good as any
                near |= ~np.isfinite(got) & (slack > np.maximum(1.0, np.abs(right)))
            outputs[name] = np.where(near, right, got)
    return replace(outcome, outputs=outputs)


def _between(got: Any, one: Any, other: Any, off: Any) -> bool:
    """Whether every entry lies between two answers; what is not finite must be so in both."""
    finite = np.isfinite(one) & np.isfinite(other) & np.isfinite(got)
    size = ELSEWHERE["float64"] * np.maximum(np.abs(one), np.abs(other))
    with np.errstate(all="ignore"):
        inside = (got >= np.minimum(one, other) - off - size) & (got <= np.maximum(one, other) + off + size)
    alike = (got == one) | (got == other) | np.isnan(one) | np.isnan(other)
    return bool(np.where(finite, inside, alike).all())


@dataclass(frozen=True)
class _Shown:
    """One number of an answer that depends on one constant alone.

    Attributes:
        index: of the constant.
        of: the number as a function of that constant.
        got: what the target answers.
        off: by how much it may be off.
    """

    index: int
    of: Callable[[float], float]
    got: float
    off: float

    def bounds(self, constant: Constant) -> bool:
        """Whether it shows how large the constant is, and not only that it is large or small enough."""
        above = abs(self.of(constant.high) - self.got) > self.off
        return above and (constant.zero or abs(self.of(constant.low) - self.got) > self.off)

    def interval(self, constant: Constant, steps: int) -> tuple[float, float]:
        """The values that give the answer; empty (from above to below) where none does.

        After a few steps only it is wider than that, never narrower.
        """
        rises = self.of(constant.high) > self.of(constant.low)
        sign = 1.0 if rises else -1.0
        before, first = _first(constant, lambda c: sign * (self.of(c) - self.got) >= -self.off, steps)
        _, last = _first(constant, lambda c: sign * (self.of(c) - self.got) > self.off, steps)
        return first if steps == STEPS else before, last


def _first(constant: Constant, holds: Callable[[float], bool], steps: int) -> tuple[float, float]:
    """Two values between which a condition begins to hold that once holds and goes on to."""
    low, high = constant.low, constant.high
    if holds(low):
        return low, low
    if not holds(high):
        return high, high
    for _ in range(steps):
        middle = math.sqrt(low * high) if low > 0 else (low + high) / 2
        if not low < middle < high:
            break
        low, high = (low, middle) if holds(middle) else (middle, high)
    return low, high


def _shown(
    whole: _Open, vector: Vector, name: str, got: Any, ends: tuple[list[float], list[float]], dtype: str
) -> _Shown | None:
    """The entry that depends most on a constant, where the vector depends on one alone."""
    low, high = ends
    base = whole.answer(vector, low)[name]
    moved = {}
    for index in range(len(low)):
        up = whole.answer(vector, [*low[:index], high[index], *low[index + 1 :]])[name]
        down = whole.answer(vector, [*high[:index], low[index], *high[index + 1 :]])[name]
        with np.errstate(invalid="ignore"):  # what is infinite with and without a constant shows nothing
            change = np.abs(up - base)
        if not (np.array_equal(up, base) and np.array_equal(down, whole.answer(vector, high)[name])):
            moved[index] = change
    if len(moved) != 1:
        return None
    ((index, change),) = moved.items()
    if not np.isfinite(change).all() or not change.any():
        return None
    place = int(np.argmax(change))
    number = float(np.asarray(got).ravel()[place])

    @cache  # both ends of an interval are looked for along nearly the same values
    def of(value: float) -> float:
        answer = whole.answer(vector, [*low[:index], value, *low[index + 1 :]])[name]
        return float(np.asarray(answer).ravel()[place])

    slack = np.broadcast_to(slack_of(whole.closed(low)[1], vector, dtype), np.shape(base)).ravel()[place]
    off = ROUNDINGS * UNIT[dtype] * max(abs(number), vector.scale)
    if not math.isfinite(number) or slack > max(off, HIDES * change.ravel()[place]):
        return None
    return _Shown(index, of, number, max(off, slack))


def _agreed(constant: Constant, intervals: Sequence[tuple[float, float]], dtype: str) -> float | None:
    """The shortest decimal that all intervals hold; two of them must be narrow."""
    narrow = [(low, high) for low, high in intervals if _is_narrow(constant, low, high, dtype)]
    if len(narrow) < LEAST:
        return None
    low, high = max(low for low, _ in intervals), min(high for _, high in intervals)
    if constant.zero and low <= constant.low:
        return 0.0
    middle = math.sqrt(low * high) if low > 0 else (low + high) / 2
    if high > NARROW * low > 0 and low <= (power := 10.0 ** round(math.log10(middle))) <= high:
        return power
    for digits in range(MOST_DIGITS):
        value = float(f"{middle:.{digits}e}")
        if low <= value <= high:
            return value
    return middle


def _is_narrow(constant: Constant, low: float, high: float, dtype: str) -> bool:
    if low > high or low >= constant.high:
        return False
    if constant.zero and high <= max(100 * constant.low, UNSEEN * UNIT[dtype]):
        return True  # as good as 0, or next to it: less shows in no digit that there is
    # at its lower end it is as good as absent
    return low > constant.low and high <= (NARROW_IN_FLOAT32 if dtype == "float32" else NARROW) * low
