"""Claims that need no function: a worked number, rows of a table, what nothing can compute."""

from __future__ import annotations

from typing import Any

from rlcalc.audit import tables
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.claims import Claim, TableFact
from rlcalc.audit.evidence import Evidence, Exhaustive, Fact, Findings
from rlcalc.audit.proofs import entries
from rlcalc.audit.registry import Check, Statement
from rlcalc.audit.tables import column
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
        return Check(lambda s: Findings(unknowable=claim.unknowable), Statement({}))
    return None


# the numbers, one by one, as a template names them; ``expect`` is all of them
_HOLES = ("first", "second", "third")


def _worked_number(claim: Claim) -> Check:
    """Its part is what to expect: the number, or as many as it has outputs or cases."""
    sources = _sources(claim)
    expected = claim.expect if len(sources) > 1 else (claim.expect,)
    is_many = len({id for id, _ in sources}) > 1

    def function(s: Statement) -> Findings:
        wanted = [s.expect] if len(sources) == 1 else list(s.expect)
        numbers, known = list(flatten(wanted)), list(flatten(expected))
        show = Findings()
        each = dict(zip(_HOLES, [*numbers, 0, 0, 0], strict=False))  # 0 where one is left out
        show.fill(**{name: one for name, one in each.items() if f"@{name}" in claim.template})
        if len(numbers) != len(known):
            show.literal += entries("worked numbers", known, numbers)
            return show
        for (id, output), number in zip(sources, wanted, strict=True):
            case = vector(id)
            name = case.case.about.rstrip(".") if is_many else f"the {(output or 'answer').replace('_', ' ')}"
            show.literal += entries(name, list(flatten(case.answer(output))), list(flatten(number)))
        return show

    part = expected if len(sources) > 1 else expected[0]
    return Check(function, Statement({"expect": part}), scope="instance")


def _sources(claim: Claim) -> list[tuple[str, str]]:
    """Case and output of each number; one case goes for all outputs, one output for all cases."""
    cases = [claim.check] if isinstance(claim.check, str) else list(claim.check)
    outputs = [claim.output] if isinstance(claim.output, str) else list(claim.output)
    count = max(len(cases), len(outputs))
    if {len(cases), len(outputs)} - {1, count} or not all(one.startswith("golden:") for one in cases):
        raise DataError("bad_claim", f"{claim.id}: check is 'golden:<case>', once or once for each output.")
    if not claim.expect or (count > 1 and (isinstance(claim.expect, str) or len(claim.expect) != count)):
        raise DataError("bad_claim", f"{claim.id}: 'expect' has one number for each of its {count}.")
    cases, outputs = (one * count if len(one) == 1 else one for one in (cases, outputs))
    return [(case.removeprefix("golden:"), output) for case, output in zip(cases, outputs, strict=True)]


# rows of a table: what they say, and by what they are altered


def table_facts(claim: Claim) -> Check:
    """The check of a claim with ``[[claim.fact]]``; its parts are what the facts expect."""
    parts = {f"fact{at}": _part(fact) for at, fact in enumerate(claim.fact, start=1)}

    def function(s: Statement) -> Findings:
        show = Findings()
        for fact, part in zip(claim.fact, parts, strict=True):
            getattr(show, fact.role).append(_fact(fact, getattr(s, part)))
        return show

    return Check(function, Statement(parts), scope="structure")


def _part(fact: TableFact) -> Any:
    """What the fact expects, with the other values of the column as its alternatives."""
    if isinstance(fact.value, bool | int):
        return fact.value
    if isinstance(fact.value, list):
        # one of several, or several in their order
        return frozenset(fact.value) if fact.relation in ("in", "not in") else tuple(fact.value)
    rows = tables.table(fact.table).values()
    return Choice(
        fact.value, *sorted({str(one) for row in rows for one in flatten(column(row, fact.column))})
    )


def _fact(fact: TableFact, expected: Any) -> Evidence:
    source = f"specs/claims, table {fact.table}"
    if fact.row:
        row = tables.row(fact.table, fact.row)
        cell = column(row, fact.column)
        return Fact(fact.what, cell, fact.relation, expected, getattr(row, "source", source))
    if fact.rows:
        chosen = [tables.row(fact.table, name) for name in fact.rows]
    else:
        chosen = [row for row in tables.table(fact.table).values() if _is_chosen(row, fact)]
    said = {row.name: Fact("", column(row, fact.column), fact.relation, expected) for row in chosen}
    seen = [(name, one.status == "holds") for name, one in said.items()]
    names = ", ".join(said)
    domain = f"the row{'s' if len(chosen) > 1 else ''} {names} of the table {fact.table}"
    return Exhaustive(_what(fact, expected), seen, domain, source)


def _what(fact: TableFact, expected: Any) -> str:
    """With what every row must say, where the words do not have it already."""
    if isinstance(expected, bool | int) or str(expected) in fact.what:
        return fact.what
    joint = " or " if isinstance(expected, frozenset) else ", "
    words = [expected] if isinstance(expected, str) else sorted(expected) if joint == " or " else expected
    return f"{fact.what}: {joint.join(map(str, words))}"


def _is_chosen(row: Any, fact: TableFact) -> bool:
    return all(column(row, key) == value for key, value in fact.where.items())
