"""Claims that need no function: a worked number, rows of a table, what nothing can compute."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit.cases import vector
from rlcalc.audit.claims import Claim
from rlcalc.audit.evidence import Evidence, Findings
from rlcalc.audit.formula.evaluate import Point, as_node
from rlcalc.audit.formula.reader import Chain, Node, read
from rlcalc.audit.formula.tie import Said, names_in
from rlcalc.audit.proofs import entries
from rlcalc.audit.registry import Check, Statement
from rlcalc.audit.table_facts import table_facts
from rlcalc.audit.zero import as_expression
from rlcalc.errors import DataError
from rlcalc.nested import flatten


def data_check(claim: Claim) -> Check | None:
    """The check that an entry itself describes; nothing where a function is needed.

    Raises:
        DataError: ``bad_claim``: it describes none that can be run.
    """
    if claim.check:
        return _worked_number(claim)
    if claim.fact:
        return table_facts(claim)
    if claim.unknowable:
        return Check(claim.id, lambda s: Findings(unknowable=claim.unknowable), Statement({}))
    return None


def _worked_number(claim: Claim) -> Check:
    """Its part is what to expect: the number, or as many as it has outputs or cases."""
    sources = _sources(claim)
    expected = _texts(claim.expect if len(sources) > 1 else [claim.expect])
    where = {name: Fraction(text) for name, text in claim.where.items()}
    is_many = len({id for id, _ in sources}) > 1

    def function(s: Statement) -> Findings:
        wanted = [s.expect] if len(sources) == 1 else list(s.expect)
        numbers, known = list(flatten(wanted)), list(flatten(expected))
        if len(numbers) != len(known):
            return Findings(entries("worked numbers", known, numbers))
        show = Findings(reads=where)
        for (id, output), number in zip(sources, wanted, strict=True):
            case = vector(id)
            name = case.case.about.rstrip(".") if is_many else f"the {(output or 'answer').replace('_', ' ')}"
            show.literal += entries(name, list(flatten(case.answer(output))), list(flatten(number)))
        for chain, number in _paired(claim, wanted):
            compared, sides = _compared(claim, chain, number, numbers, where)
            show.literal += compared
            show.says.append(Said(tuple(sides), chain.relations))
        return show

    part = expected if len(sources) > 1 else expected[0]
    return Check(claim.id, function, Statement({"expect": part}), scope="instance")


def _sources(claim: Claim) -> list[tuple[str, str]]:
    """Case and output of each number; one case goes for all outputs, one output for all cases."""
    cases = [claim.check] if isinstance(claim.check, str) else list(claim.check)
    outputs = [claim.output] if isinstance(claim.output, str) else list(claim.output)
    count = max(len(cases), len(outputs))
    if {len(cases), len(outputs)} - {1, count} or not all(one.startswith("golden:") for one in cases):
        raise DataError("bad_claim", f"{claim.id}: check is 'golden:<case>', once or once for each output.")
    if claim.expect is None or (count > 1 and len(_texts(claim.expect)) != count):
        raise DataError("bad_claim", f"{claim.id}: 'expect' has one number for each of its {count}.")
    cases, outputs = (one * count if len(one) == 1 else one for one in (cases, outputs))
    return [(case.removeprefix("golden:"), output) for case, output in zip(cases, outputs, strict=True)]


def _texts(value: Any) -> Any:
    return tuple(map(_texts, value)) if isinstance(value, list | tuple) else str(value)


def _paired(claim: Claim, wanted: list[Any]) -> list[tuple[Chain, Any]]:
    """Each chain of the formula with its number; a formula with fewer chains shows the last numbers."""
    chains = read(claim.formula) if claim.formula else ()
    numbers = list(wanted[0]) if len(wanted) == 1 and len(chains) > 1 else wanted
    if len(chains) == 1 and len(wanted) > 1 and any(side.head == "list" for side in chains[0].sides):
        return [(chains[0], wanted)]
    if len(chains) > len(numbers):
        raise DataError("bad_claim", f"{claim.id}: {len(chains)} chains and {len(numbers)} numbers.")
    return list(zip(chains, numbers[len(numbers) - len(chains) :], strict=True))


def _compared(
    claim: Claim, chain: Chain, number: Any, known: list[Any], where: Mapping[str, Fraction]
) -> tuple[list[Evidence], list[Any]]:
    """Every side that is more than a number, worked out; and the chain with the numbers it must have."""
    found: list[Evidence] = []
    said: list[Any] = []
    for side in chain.sides:
        is_open = names_in((Chain((side,), ()),)) - set(where)
        if is_open and side.head != "name":
            raise DataError(
                "bad_claim", f"{claim.id}: where = … gives no value to {', '.join(sorted(is_open))}."
            )
        if is_open:
            said.append(side)
            continue
        value = Point(0, where, ordered=True).value(side)
        is_number = (side.parts[0] if side.head == "neg" else side).head == "num"
        if "~" not in chain.relations and not is_number:
            exact = [sympy.Rational(one.numerator, one.denominator) for one in flatten(value)]
            found += entries("a side of the formula, worked out", exact, list(flatten(number)))
        said.append(_as_said(side, number, where, known))
    return found, said


def _as_said(side: Node, number: Any, where: Mapping[str, Fraction], known: list[Any]) -> Any:
    """The number in place of a side; what a maximum or minimum is taken of must be expected as well."""
    if side.head != "apply" or side.name not in ("max", "min"):
        return _fractions(number)
    values = [Point(0, where, ordered=True).value(part) for part in side.parts]
    expected = [_fractions(one) for one in known]
    return Node("apply", side.name, tuple(as_node(one if one in expected else number) for one in values))


def _fractions(number: Any) -> Any:
    if isinstance(number, list | tuple):
        return [_fractions(one) for one in number]
    exact = as_expression(number)
    return Fraction(int(exact.p), int(exact.q))
