"""Golden files as plain JSON, for test suites in other languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rlcalc.golden.files import SCHEMA, Case, Expected, GoldenFile


def file_json(file: GoldenFile) -> dict[str, Any]:
    """A golden file as plain data for other languages.

    The inputs of every variant are complete: those of ``otherwise`` are laid
    over the case's own already. All numbers are text or integers.
    """
    return {
        "schema": SCHEMA,
        "formula": file.formula,
        "flags": {
            flag.name: {"kind": flag.kind, "about": flag.about, "effect": flag.effect}
            for flag in file.flags.values()
        },
        "cases": [_case_json(case) for case in file.cases],
    }


def _case_json(case: Case) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": case.id,
        "about": case.about,
        "source": dict(case.source),
        "flags": [flag.name for flag in case.flags],
        "result": case.result,
        "given": dict(case.given),
    }
    if case.result == "invalid":
        return {**found, "error": case.error}
    if case.batch:
        found["batch"] = list(case.batch)
    if case.digits:
        found["digits"] = {**case.digits, "reason": case.digits_reason}
    found["want"] = _want_json(case.want)
    if case.variants[1:]:
        found["otherwise"] = [
            {"when": variant.when, "given": dict(variant.given), "want": _want_json(variant.want)}
            for variant in case.variants[1:]
        ]
    return found


def _want_json(want: Mapping[str, Expected]) -> dict[str, dict[str, Any]]:
    def parts(value: Expected) -> Iterator[tuple[str, Any]]:
        for key in ("exact", "decimal", "printed"):
            if getattr(value, key) is not None:
                yield key, getattr(value, key)

    return {name: dict(parts(value)) for name, value in want.items()}
