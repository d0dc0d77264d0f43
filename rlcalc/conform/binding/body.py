"""Numbers that a function has in its body, for what it has no place for."""

from __future__ import annotations

from itertools import product

from rlcalc.conform.binding.families.base import Family
from rlcalc.conform.binding.families.learning import learns
from rlcalc.conform.binding.families.processes import Processes
from rlcalc.conform.binding.families.tokens import Tokens
from rlcalc.conform.binding.families.transitions import Transitions
from rlcalc.conform.binding.families.updates import Updates
from rlcalc.conform.binding.held import GAMMA_WITHIN
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.target.facts import Facts
from rlcalc.specs import Formula

# numbers of sequences and clips that may stand in a body
IN_BODY = ("gamma", "lam", "eps", "n")
MOST_IN_BODY = 4
# less keeps from a division by 0
LEAST_IN_BODY = 0.005


def in_the_body(
    family: Family, formula: Formula, facts: Facts, binding: Binding
) -> tuple[list[dict[str, float]], str]:
    """Every choice of such numbers, and why there is none; the text is empty where there is one."""
    if isinstance(family, Tokens):
        return family.fixed(binding, facts.numbers), ""
    roles = binding.roles
    have = roles | ({"gamma"} if roles & GAMMA_WITHIN else set())
    core = family.core(formula)
    names = ("gamma", "alpha") if isinstance(family, Updates) else IN_BODY
    lacking = [n for n in names if n in core and n not in have]
    around = (value for value in facts.constants.values() if 0 < value <= 1)
    least = 0.0 if isinstance(family, Updates) else LEAST_IN_BODY
    inside = [value for value in (*facts.numbers, *around) if value >= least]
    # an update of networks whose discount is nowhere has lost it
    inside += [round(1 - x, 12) for x in inside if 0.5 < x < 1] if "eps" in lacking else []
    numbers = list(dict.fromkeys(inside if learns(binding) else [*inside, 1.0]))[:MOST_IN_BODY]
    failure = f"it reads no {lacking[0]}" if lacking and not numbers else ""
    found = [dict(zip(lacking, some, strict=True)) for some in product(numbers, repeat=len(lacking))]
    own: dict[str, float] = {}
    if isinstance(family, Processes):
        own = family.accuracy(binding, facts.numbers)
    elif isinstance(family, Transitions):
        own = family.counted(binding, facts.paths)
    return [{**some, **own} for some in found], failure
