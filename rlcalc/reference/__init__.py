"""The literal definitions in rational arithmetic, for inputs that are numbers.

The exact forms of the calculator build a tree of steps for people; a
thousand generated cases (`rlcalc.conform`) and a check on every update of a
run (`rlcalc.ppo`) need none. These say the same in plain Fractions, as
sums over the definition and never as the algorithm that implementations run,
and a test holds them equal to the step trees. Where a definition leaves the
rationals (a logarithm, a root) fifty digits stand for the exact number.

The formulas lie in ``learning`` (from recorded steps), ``returns``, ``samples``, ``tables`` (decision
processes), ``targets`` (of action values, and policies) and ``visits`` (named states and tokens).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rlcalc.digits import truth_of
from rlcalc.evaluation import derive_bound
from rlcalc.inputs.bind import Inputs
from rlcalc.nested import map_nested
from rlcalc.reference import learning, returns, samples, tables, targets, visits
from rlcalc.specs import formula_names

Oracle = Callable[["Inputs"], Mapping[str, Any]]


def find_oracle(formula: str) -> Oracle | None:
    """The definition of a formula, the function of its name in one of the modules; ``None`` without one."""
    for module in (learning, returns, samples, tables, targets, visits):
        function: Oracle | None = vars(module).get(formula)
        if function is not None:
            return function
    return None


def without_oracle() -> list[str]:
    """Formulas that have the step tree alone."""
    return [name for name in formula_names() if find_oracle(name) is None]


def exact_answer(inputs: Inputs) -> dict[str, Any]:
    """Outputs as nested Fractions, ±inf as floats: by the definitions above, else by the step tree.

    Of the answer for every time step the first entry is an output of its own, as where the formula says so.
    """
    oracle = find_oracle(inputs.formula.name)
    if oracle is not None:
        answer = dict(oracle(inputs))
        firsts = {o.name: answer[o.of][0] for o in inputs.formula.outputs if o.of in answer}
        return answer | firsts
    numbers = {o.name for o in inputs.formula.outputs if o.kind == "number" and not o.exact_only}
    found = derive_bound(inputs).outputs
    return {name: map_nested(truth_of, value) for name, value in found.items() if name in numbers}
