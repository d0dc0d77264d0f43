"""For which value of an input is the answer this number? An exact polynomial, and its roots in the domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.errors import InputError, shown
from rlcalc.evaluation import checked, derive_bound
from rlcalc.exact import compare, parse_number, symbol, to_sympy
from rlcalc.specs import Formula, Parameter

LARGEST_DEGREE = 40
_LETTERS = "xyzuvw"


@dataclass(frozen=True)
class Solved:
    """What was found.

    Attributes:
        answer: the output as an expression in the unknown.
        polynomial: it is 0 exactly where the answer is the number, apart from zeros of a denominator.
        roots: within the domain of the input, in order; rational ones exact, others as algebraic numbers.
        always: every value of the input gives the answer.
    """

    parameter: Parameter
    output: str
    target: Any
    unknown: Any
    answer: Any
    polynomial: Any
    roots: tuple[Any, ...]
    always: bool = False


def solve_for(formula: Formula, raw: Mapping[str, Any], question: str, output: str = "") -> Solved:
    """Answer ``lam=5``: the values of λ for which the answer is 5.

    Args:
        raw: the other inputs.
        output: which output is to be the number; the first one if empty.

    Raises:
        InputError: ``solve_syntax``, ``solve_not_an_input``, ``solve_given``, ``solve_no_scalar``,
            ``solve_no_polynomial``; codes of the inputs.
    """
    name, equals, text = question.partition("=")
    if not (equals and name.strip() and text.strip()):
        raise InputError(
            "solve_syntax", f"--solve takes NAME=VALUE, not {shown(question)}.", "For example: --solve lam=5"
        )
    parameter = _unknown(formula, raw, name.strip().lstrip("-").replace("-", "_"))
    target = parse_number(text.strip().replace("−", "-"), name="--solve")
    letter = next(c for c in _LETTERS if not any(c in str(value) for value in [*raw.values(), text]))
    derivation = derive_bound(checked(formula, {**raw, parameter.name: letter}))
    found = derivation.outputs
    output = output or next(iter(found))
    answer = found.get(output)
    if not hasattr(answer, "free_symbols"):
        raise InputError("solve_no_scalar", f"--solve needs one number, and {output} is none.",
                         "Name another one by --output.")  # fmt: skip
    unknown = symbol(letter)
    polynomial, below = sympy.fraction(sympy.together(answer - to_sympy(target)))
    if not polynomial.is_polynomial(unknown) or polynomial.free_symbols - {unknown}:
        raise InputError(
            "solve_no_polynomial",
            f"{output} is no rational function of {parameter.name} alone here: {shown(str(answer))}.",
            "Give numbers for the other inputs.",
        )
    poly = sympy.Poly(polynomial, unknown)
    if poly.degree() > LARGEST_DEGREE:
        raise InputError(
            "solve_no_polynomial", f"The polynomial has degree {poly.degree()}, which is too much."
        )
    if poly.is_zero:
        return Solved(parameter, output, target, unknown, answer, sympy.Integer(0), (), True)
    _, primitive = (poly if poly.LC() > 0 else -poly).primitive()
    roots = [root for root in dict.fromkeys(sympy.real_roots(poly)) if _inside(parameter, root)]
    kept = tuple(root for root in roots if not sympy.Poly(below, unknown)(root).equals(0))
    return Solved(parameter, output, target, unknown, answer, primitive.as_expr(), kept)


def _unknown(formula: Formula, raw: Mapping[str, Any], name: str) -> Parameter:
    parameter = formula.parameter(name)
    if parameter.kind != "number" or parameter.shape:
        raise InputError("solve_not_an_input", f"--solve looks for one number, and {name} is none.")
    if name in raw:
        raise InputError(
            "solve_given", f"{parameter.option} is given, and --solve looks for it.", "Leave it out."
        )
    if not formula.symbolic:
        raise InputError(
            "solve_no_polynomial", f"{formula.command} takes no symbols, so that nothing can be solved."
        )
    return parameter


def _inside(parameter: Parameter, root: Any) -> bool:
    domain, near = parameter.domain, root if root.is_Rational else _rational(root)
    ends = ((domain.low, 1, domain.low_closed), (domain.high, -1, domain.high_closed))
    return all(
        end is None or compare(near, end) in ((side, 0) if closed else (side,)) for end, side, closed in ends
    )


def _rational(root: Any) -> Any:
    """An irrational root to 50 digits, which decides on which side of a rational end it lies."""
    return to_sympy(Fraction(str(sympy.N(root, 50))))
