"""Inputs for an exercise: small integers and thirds, and an answer that fits on a line.

The same seed draws the same inputs: nothing here depends on the order of a set or on the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from random import Random
from typing import Any

from rlcalc.conform.generate.episodes import read_episodes, read_steps, read_table
from rlcalc.errors import InputError, RlcalcError
from rlcalc.evaluation import checked, derive_bound
from rlcalc.exact import to_text
from rlcalc.exact.effort import TooMuchWork
from rlcalc.inputs.bind import Inputs
from rlcalc.mdp.reading import read_mdp
from rlcalc.nested import flatten
from rlcalc.specs import Formula, Parameter
from rlcalc.steps.derivation import Derivation

TRIES = 25
REFUSALS = 200  # inputs that do not go together
LARGEST = 400  # numerator or denominator of an answer that is pleasant
LONGEST = 120  # characters of one that is no fraction
_UNIT = ("1/2", "1/2", "1/3", "2/3", "1/4", "9/10")
_WHOLE = ("-3", "-2", "-1", "0", "1", "2", "3", "4", "5", "6", "1/3", "2/3", "3/2")
_SPREAD: tuple[tuple[str, ...], ...] = (
    ("1/2", "1/2"),
    ("1/3", "2/3"),
    ("1/4", "3/4"),
    ("1/2", "1/4", "1/4"),
    ("1/3", "1/3", "1/3"),
)
_PROCESSES = ("grid2x2", "bandit", "grid2x2:slip=1/5", "robot")  # the last one never ends
_WORDS = ("A", "B", "C")
_SHORT, _LONG = 3, 4  # lengths of lists


def exercise(formula: Formula, seed: str) -> Derivation:
    """One exercise with its solution.

    Raises:
        InputError: ``nothing_drawn`` where no inputs were found that the formula accepts.
    """
    chance = Random(seed)
    best: Derivation | None = None
    refused = 0
    for _ in range(TRIES):
        found, inputs = None, None
        while found is None and refused < REFUSALS:  # what is refused costs next to nothing
            try:
                inputs = checked(formula, _inputs(formula, chance))
                found = derive_bound(inputs)
            except (RlcalcError, TooMuchWork, ArithmeticError):
                refused += 1
        if found is None or inputs is None:
            break
        if found.steps and _pleasant(found) and not _dull(inputs):
            return found
        best = best or (found if found.steps else None)
    if best is None:
        raise InputError(
            "nothing_drawn",
            f"No exercise could be drawn for {formula.command}.",
            "Its inputs belong together too closely; choose another formula.",
        )
    return best


def _pleasant(found: Derivation) -> bool:
    """Whether a person would want to write the answer down."""
    entries = [entry for entry in flatten(found.answer) if not isinstance(entry, str)]
    return all(
        max(abs(int(entry.p)), int(entry.q)) <= LARGEST
        if entry.is_Rational
        else len(to_text(entry)) <= LONGEST
        for entry in entries
    )


def _dull(inputs: Inputs) -> bool:
    """Whether all numbers of some list are equal, which exercises nothing."""
    lists = [value for value in inputs.given.values() if isinstance(value, list) and len(value) > 1]
    numbers = [value for value in lists if isinstance(value[0], Fraction)]
    return any(len(set(value)) == 1 and value[0] == 0 for value in numbers if value is not None) and (
        len(numbers) == 1
    )


def _inputs(formula: Formula, chance: Random) -> dict[str, Any]:
    forms = [form.parameters for form in formula.forms]
    form = chance.choice(forms) if forms else ()
    special = {name for one in forms for name in one}
    dims: dict[str, int] = {}
    found: dict[str, Any] = {}
    for p in formula.parameters:
        if p.name in special and p.name not in form:
            continue
        wanted = p.required or (p.name in special and not p.optional) or p.default == "zeros"
        if wanted or (p.kind == "number" and p.default is not None and chance.random() < 0.7):
            found[p.name] = _value(p, dims, chance, found)
    return found


def _value(p: Parameter, dims: dict[str, int], chance: Random, found: Mapping[str, Any]) -> Any:
    lengths = [_length(name, dims, chance) for name in p.shape]
    if p.kind == "mdp":
        name = chance.choice(_PROCESSES)
        process = read_mdp(name)
        dims |= {"S": len(process.states), "A": len(process.actions), "K": len(process.non_terminal)}
        return name
    if p.kind in ("steps", "episodes", "table"):
        data = [chance.randrange(256) for _ in range(3 * 5)]
        read = {"steps": read_steps, "episodes": read_episodes, "table": read_table}[p.kind]
        return read(data, p, (), (4,))
    if p.kind == "choice":
        return chance.choice(p.choices)
    if p.name == "policy" and not p.distribution and p.choices:
        return p.choices[0]
    if p.distribution:
        return _distributions(lengths, dims, chance)
    return _nested(p, lengths, chance, dims.get(p.below))


def _distributions(lengths: list[int], dims: dict[str, int], chance: Random) -> Any:
    count = lengths[-1]
    spreads = [spread for spread in _SPREAD if len(spread) == count] or [tuple([f"1/{count}"] * count)]
    if len(lengths) == 1:
        return _shuffled(spreads, chance)
    return [_shuffled(spreads, chance) for _ in range(lengths[0])]


def _shuffled(spreads: list[tuple[str, ...]], chance: Random) -> list[str]:
    found = list(chance.choice(spreads))
    chance.shuffle(found)
    return found


def _nested(p: Parameter, lengths: list[int], chance: Random, below: int | None = None) -> Any:
    if lengths:
        return [_nested(p, lengths[1:], chance, below) for _ in range(lengths[0])]
    if p.kind == "word":
        return chance.choice(_WORDS)
    if p.kind == "flag":
        return int(p.masks)  # all is there, and nothing ends early
    if p.kind in ("integer", "count"):
        if below is not None:
            return chance.randrange(below)
        low = int(p.domain.low) if p.domain.low is not None else 1
        high = int(p.domain.high) if p.domain.high is not None else low + 2
        return chance.randint(low, min(high, low + 2))
    return _number(p, chance)


def _number(p: Parameter, chance: Random) -> str:
    low, high = p.domain.low, p.domain.high
    pool = _UNIT if low == 0 and high is not None and high <= 2 else _WHOLE
    inside = [
        text
        for text in pool
        if (low is None or Fraction(text) > low or (p.domain.low_closed and Fraction(text) == low))
        and (high is None or Fraction(text) < high or (p.domain.high_closed and Fraction(text) == high))
    ]
    return chance.choice(inside or ["1"])


def _length(name: str, dims: dict[str, int], chance: Random) -> int:
    base, _, more = name.partition("+")
    if base not in dims:
        dims[base] = chance.randint(_SHORT, _LONG) if base in ("T", "L") else _SHORT
    return dims[base] + int(more or 0)
