"""Claims that need no function: a worked number, rows of a table, what cannot be known."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import tables
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.claims import Claim, TableFact
from rlcalc.audit.evidence import Evidence, Exact, Exhaustive, Fact, Findings
from rlcalc.audit.formula.evaluate import Point
from rlcalc.audit.formula.reader import Chain, Node, read
from rlcalc.audit.formula.tie import Said, names_in
from rlcalc.audit.proofs import entries, nothing_printed
from rlcalc.audit.registry import Check, Statement
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
        return _table_facts(claim)
    if claim.unknowable:
        return Check(claim.id, lambda s: Findings(unknowable=claim.unknowable), Statement({}))
    return None


# worked numbers


def _worked_number(claim: Claim) -> Check:
    kind, _, id = claim.check.partition(":")
    if kind != "golden" or claim.expect is None:
        raise DataError("bad_claim", f"{claim.id}: check is 'golden:<case>', with what to expect.")
    expected = tuple(claim.expect) if isinstance(claim.expect, list) else str(claim.expect)

    def function(s: Statement) -> Findings:
        wanted = list(flatten(s.expect))
        found = list(flatten(vector(id).answer(claim.output)))
        name = (claim.output or "answer").replace("_", " ")
        literal: list[Evidence] = [*entries(f"the {name}", found, wanted)]
        if len(found) != len(wanted):
            return Findings(literal=literal)
        literal += _printed_sides(claim, wanted)
        return Findings(literal=literal, says=_as_printed(claim, wanted))

    return Check(claim.id, function, Statement({"expect": expected}), scope="instance")


def _chains(claim: Claim) -> tuple[Chain, ...]:
    return read(claim.formula) if claim.formula else ()


def _values(claim: Claim, chain: Chain) -> list[Any]:
    """Of every side its value, or nothing where it is a name alone."""
    where = {
        name: Fraction(as_expression(text).p, as_expression(text).q) for name, text in claim.where.items()
    }
    found = []
    for side in chain.sides:
        is_open = names_in((Chain((side,), ()),)) - set(where)
        if is_open and side.head != "name":
            raise DataError(
                "bad_claim", f"{claim.id}: where = … gives no value to {', '.join(sorted(is_open))}."
            )
        found.append(None if is_open else Point(0, where, ordered=True).value(side))
    return found


def _printed_sides(claim: Claim, wanted: list[Any]) -> list[Evidence]:
    """Each side that the formula writes out, worked out, against the number for its chain."""
    found: list[Evidence] = []
    for chain, number in _paired(claim, wanted):
        for side in _values(claim, chain):
            if side is not None:
                for one, other in zip(flatten(side), flatten(number), strict=True):
                    relation = "=" if "~" not in chain.relations else None
                    if relation:
                        found.append(
                            Exact(
                                "a side of the formula, worked out",
                                sympy.Rational(one.numerator, one.denominator),
                                "=",
                                other,
                            )
                        )
    return found


def _paired(claim: Claim, wanted: list[Any]) -> list[tuple[Chain, Any]]:
    chains = _chains(claim)
    if len(chains) in (0, 1):
        return [(chain, wanted if len(wanted) > 1 else wanted[0]) for chain in chains]
    if len(chains) != len(wanted):
        raise DataError("bad_claim", f"{claim.id}: {len(chains)} chains and {len(wanted)} numbers.")
    return list(zip(chains, wanted, strict=True))


def _as_printed(claim: Claim, wanted: list[Any]) -> list[Said]:
    """The formula itself, its closed sides replaced by the numbers that they must have."""
    said = []
    for chain, number in _paired(claim, wanted):
        values = _values(claim, chain)
        closed = tuple(
            side if value is None else _as_written(number)
            for side, value in zip(chain.sides, values, strict=True)
        )
        said.append(Said(closed, chain.relations))
    return said


def _as_written(number: Any) -> Node | Any:
    if isinstance(number, list):
        return [_as_written(one) for one in number]
    exact = as_expression(number)
    return Fraction(int(exact.p), int(exact.q))


# tables


def _table_facts(claim: Claim) -> Check:
    parts = {f"fact{at}": _part(claim, fact) for at, fact in enumerate(claim.fact, start=1)}

    def function(s: Statement) -> Findings:
        found: dict[str, list[Evidence]] = {"literal": [], "against": [], "repair": [], "unchanged": []}
        for at, fact in enumerate(claim.fact, start=1):
            found[fact.role].append(_fact(fact, getattr(s, f"fact{at}")))
        if claim.repair and claim.repair.kind == "reading" and not found["unchanged"]:
            found["unchanged"].append(nothing_printed(claim.section))
        return Findings(**found)  # type: ignore[arg-type]

    return Check(claim.id, function, Statement(parts), scope="structure")


def _part(claim: Claim, fact: TableFact) -> Any:
    """What the fact expects, with the other values of the column as its alternatives."""
    if fact.against:
        names = tables.names(fact.table)
        return Choice(fact.against, *(name for name in names if name != fact.row))
    if isinstance(fact.value, bool | int):
        return fact.value
    others = sorted(
        {str(one) for row in tables.rows(fact.table) for one in flatten(tables.column(row, fact.column))}
    )
    if isinstance(fact.value, list):
        # one of several, or several in their order
        return frozenset(fact.value) if fact.relation in ("in", "not-in") else tuple(fact.value)
    return Choice(fact.value, *others)


def _fact(fact: TableFact, expected: Any) -> Evidence:
    source, relation = f"specs/claims, table {fact.table}", fact.relation.replace("not-in", "not in")
    if fact.row:
        row = tables.row(fact.table, fact.row)
        value = tables.column(tables.row(fact.table, expected), fact.column) if fact.against else expected
        found = tables.column(row, fact.column)
        return Fact(fact.what, found, relation, value, getattr(row, "source", "") or source)
    chosen = [row for row in tables.rows(fact.table) if _is_chosen(row, fact)]
    failed = tuple(
        tables.name(row)
        for row in chosen
        if Fact("", tables.column(row, fact.column), relation, expected).status != "holds"
    )
    domain = f"the rows {', '.join(map(tables.name, chosen))} of the table {fact.table}"
    return Exhaustive(fact.what, len(chosen), failed, domain, source)


def _is_chosen(row: Any, fact: TableFact) -> bool:
    if fact.rows:
        return tables.name(row) in fact.rows
    return all(tables.column(row, key) == value for key, value in _plain(fact.where).items())


def _plain(where: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in where.items()}
