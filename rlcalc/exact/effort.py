"""How much work an exact answer may take, counted before each operation is done.

Small numbers can make a large computation: an exponential of a preference, a
power of a sum, a discount of 500 digits over 128 steps. So whoever computes
says first what an operation will cost, in about microseconds of processor
time, judged by the size of its operands. Within ``limited()`` the costs add
up, and beyond ``LIMIT`` they are refused; elsewhere nothing is counted.

What is printed is paid for as well: an answer that takes a minute to write
down is none.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

from rlcalc._lazy import sympy
from rlcalc.errors import InputError
from rlcalc.spelling import at_a_prompt

Kind = Literal["digits", "symbols", "constants", "page"]

LIMIT: Final = 2_600_000.0
# a net below the estimates, seconds of this thread's processor time: far beyond what they allow
_LAST_RESORT: Final = 3.0

MAX_TERMS: Final = 5000  # of an expression that is multiplied out
MAX_SUM_POWER: Final = 64  # of a sum, which someone will expand

_WHY: Final[dict[str, str]] = {
    "digits": "its numbers grow too long",
    "symbols": "its expressions grow too long",
    "constants": "it holds too many roots, exponentials or logarithms",
    "page": "it would fill too many pages",
}
_CHANGE: Final = "Use shorter numbers, fewer entries or fewer symbols, or {} without symbols."


class TooMuchWork(InputError):
    """The exact answer costs more than it may; the numeric forms can still run."""

    def __init__(self, why: str) -> None:
        hint = _CHANGE.format("--backends numpy" if at_a_prompt() else "NumPy arrays")
        super().__init__("exact_too_long", f"The exact answer takes too much work: {why}.", hint)
        self.why = why

    def __reduce__(self) -> tuple[Any, Any]:
        return type(self), (self.why,)


# a browser's Python has no clock of a thread, and no other thread either
_work_clock = getattr(time, "thread_time", time.process_time)


@dataclass
class _Meter:
    limit: float
    started: float = field(default_factory=_work_clock)
    began: float = field(default_factory=time.perf_counter)
    spent: dict[Kind, float] = field(default_factory=dict)

    def charge(self, cost: float, kind: Kind) -> None:
        self.spent[kind] = self.spent.get(kind, 0.0) + cost
        most = _LAST_RESORT * self.limit / LIMIT
        # no thread has worked longer than a clock has run, and to read the clock costs far less
        late = time.perf_counter() - self.began > most and _work_clock() - self.started > most
        if late or sum(self.spent.values()) > self.limit:
            raise TooMuchWork(_WHY[max(self.spent, key=lambda kind: self.spent[kind])])


_meter: ContextVar[_Meter | None] = ContextVar("meter", default=None)


@contextmanager
def limited(limit: float = LIMIT) -> Iterator[None]:
    """Count the work done inside; inside another such block that one goes on counting.

    Raises:
        TooMuchWork: ``exact_too_long``.
    """
    if _meter.get() is not None:
        yield
        return
    token = _meter.set(_Meter(limit))
    try:
        yield
    finally:
        _meter.reset(token)


def charge(cost: float, kind: Kind) -> None:
    """Announce work, in microseconds; refused where a limit is set and would be passed."""
    meter = _meter.get()
    if meter is not None:
        meter.charge(cost, kind)


def arithmetic_cost(bits: float, other: float) -> float:
    """Of one operation on rationals of so many bits, greatest common divisor included."""
    return 3 + 6e-6 * bits * other


@lru_cache(maxsize=20_000)
def nodes(expr: Any) -> int:
    """The number of parts of an expression, those that are shared counted each time."""
    return 1 + sum(map(nodes, expr.args))


@lru_cache(maxsize=20_000)
def page_cost(expr: Any) -> float:
    """Of writing an expression out, as text and with its digits."""
    if expr.is_Rational:
        bits = float(max(int(expr.p).bit_length(), int(expr.q).bit_length()))
        return 3 + 1e-6 * bits * bits
    return 4 + sum(map(page_cost, expr.args))


def multiplied_out(expr: Any, **hints: bool) -> Any:
    """An expression multiplied out, if that gives a number of terms that can be handled.

    Raises:
        TooMuchWork: ``exact_too_long``, within ``limited()`` and elsewhere.
    """
    terms = terms_of(expr)
    if terms > MAX_TERMS:
        raise TooMuchWork(f"it has more than {MAX_TERMS} terms when multiplied out")
    charge(20 * nodes(expr) + 150 * terms, "symbols" if expr.free_symbols else "constants")
    # SymPy builds a minimum or maximum again, and asks once more which part of it is the larger
    extremes = expr.atoms(sympy.Min, sympy.Max) if expr.free_symbols else ()
    charge(3000 * sum(terms_of(arg) for extreme in extremes for arg in extreme.args), "symbols")
    return expr.expand(**hints)


def terms_of(expr: Any) -> int:
    """About how many terms an expression has when expanded; capped, so that it stays cheap."""
    if expr.is_Atom:
        return 1
    if expr.is_Add or expr.is_Function:  # what stands inside a function is multiplied out there
        return min(sum(map(terms_of, expr.args)), MAX_TERMS + 1)
    if expr.is_Pow and expr.exp.is_Integer:
        inner, power = terms_of(expr.base), abs(int(expr.exp))
        if inner > 1 and power > MAX_SUM_POWER:
            return MAX_TERMS + 1
        count = 1
        if inner > 1:  # multisets: C(inner + power - 1, power)
            for i in range(1, power + 1):
                count = count * (inner + i - 1) // i
                if count > MAX_TERMS:
                    return MAX_TERMS + 1
        return count
    count = 1
    for arg in expr.args:
        count = min(count * terms_of(arg), MAX_TERMS + 1)
    return count
