"""Taxonomy as data: what rows of a table say, and by what they are altered."""

from __future__ import annotations

from typing import Any

from rlcalc.audit import tables
from rlcalc.audit.alter import Choice
from rlcalc.audit.claims import Claim, TableFact
from rlcalc.audit.evidence import Evidence, Exhaustive, Fact, Findings
from rlcalc.audit.registry import Check, Statement
from rlcalc.nested import flatten


def table_facts(claim: Claim) -> Check:
    """The check of a claim with ``[[claim.fact]]``; its parts are what the facts expect."""
    parts = {f"fact{at}": _part(fact) for at, fact in enumerate(claim.fact, start=1)}

    def function(s: Statement) -> Findings:
        show = Findings()
        for fact, part in zip(claim.fact, parts, strict=True):
            getattr(show, fact.role).append(_fact(fact, getattr(s, part)))
        return show

    return Check(claim.id, function, Statement(parts), scope="structure")


def _part(fact: TableFact) -> Any:
    """What the fact expects, with the other values of the column as its alternatives."""
    if fact.against:
        return Choice(fact.against, *(name for name in tables.table(fact.table) if name != fact.row))
    if isinstance(fact.value, bool | int):
        return fact.value
    if isinstance(fact.value, list):
        # one of several, or several in their order
        return frozenset(fact.value) if fact.relation in ("in", "not-in") else tuple(fact.value)
    rows = tables.table(fact.table).values()
    return Choice(fact.value, *sorted({str(one) for row in rows for one in flatten(_cell(row, fact))}))


def _cell(row: Any, fact: TableFact) -> Any:
    return tables.column(row, fact.column)


def _fact(fact: TableFact, expected: Any) -> Evidence:
    relation = fact.relation.replace("not-in", "not in")
    if fact.against:
        expected = _cell(tables.row(fact.table, str(expected)), fact)
    source = f"specs/claims, table {fact.table}"
    if fact.row:
        row = tables.row(fact.table, fact.row)
        return Fact(fact.what, _cell(row, fact), relation, expected, getattr(row, "source", source))
    if fact.rows:
        chosen = [tables.row(fact.table, name) for name in fact.rows]
    else:
        chosen = [row for row in tables.table(fact.table).values() if _is_chosen(row, fact)]
    failed = tuple(
        row.name for row in chosen if Fact("", _cell(row, fact), relation, expected).status != "holds"
    )
    names = ", ".join(row.name for row in chosen)
    domain = f"the row{'s' if len(chosen) > 1 else ''} {names} of the table {fact.table}"
    return Exhaustive(_what(fact, expected), len(chosen), failed, domain, source)


def _what(fact: TableFact, expected: Any) -> str:
    """With what every row must say, where the words do not have it already."""
    if isinstance(expected, bool | int) or str(expected) in fact.what:
        return fact.what
    joint = " or " if isinstance(expected, frozenset) else ", "
    words = [expected] if isinstance(expected, str) else sorted(expected) if joint == " or " else expected
    return f"{fact.what}: {joint.join(map(str, words))}"


def _is_chosen(row: Any, fact: TableFact) -> bool:
    return all(tables.column(row, key) == value for key, value in fact.where.items())
