"""All certified vectors as files for other languages: what a release of them consists of.

- ``<formula>.json``: the cases as ``file_json`` has them, each with ``float64``: its inputs as a
  program takes them, its answers as floats, and the correct digits that are demanded;
- ``<formula>.txt``: the numbers of the same, a line for each, for languages without a JSON reader;
- ``schemas/``: the JSON Schemas; ``runners/``: programs of some thirty lines that read the files;
- ``manifest.json``: version, counts, and the SHA-256 of every other file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rlcalc._version import __version__
from rlcalc.agreement import input_scale
from rlcalc.data import data_folder
from rlcalc.digits import read_decimal
from rlcalc.errors import InputError
from rlcalc.exact import parse_number, to_float
from rlcalc.files import write_text
from rlcalc.golden.batch import rows_of
from rlcalc.golden.export import file_json
from rlcalc.golden.files import Case, GoldenFile, load_all
from rlcalc.golden.verify import DEMANDED
from rlcalc.inputs.arrays import from_exact
from rlcalc.nested import flatten, map_nested, shape
from rlcalc.specs import Formula, load_formula

SCHEMA = "rlcalc-release-1"
# inputs of other kinds are read from files; their cases are there as text
_KINDS = ("number", "integer", "count", "flag", "choice", "word", "mdp")
RUNNERS = Path(__file__).with_name("runners")


def write_release(folder: Path) -> dict[str, Any]:
    """Write everything into a folder; the manifest is what was written."""
    counts: dict[str, dict[str, int]] = {}
    for file in load_all():
        document = released(file)
        counts[file.formula] = _counts(document["cases"])
        write_text(folder / f"{file.formula}.json", json.dumps(document, ensure_ascii=False, allow_nan=False))
        write_text(folder / f"{file.formula}.txt", "\n".join(plain(document)) + "\n")
    for path in sorted((data_folder("specs") / "schemas").glob("*.json")):
        write_text(folder / "schemas" / path.name, path.read_text("utf-8"))
    for path in sorted(RUNNERS.glob("runner.*")):
        write_text(folder / "runners" / path.name, path.read_text("utf-8"))
    manifest = {
        "schema": SCHEMA,
        "version": __version__,
        "formulas": counts,
        "cases": sum(sum(one.values()) for one in counts.values()),
        "sha256": {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "manifest.json"
        },
    }
    write_text(folder / "manifest.json", json.dumps(manifest, indent=1) + "\n")
    return manifest


def released(file: GoldenFile) -> dict[str, Any]:
    """One file as JSON, each case with its numbers."""
    spec, document = load_formula(file.formula), file_json(file)
    answer = spec.answer.of or spec.answer.name
    for entry, case in zip(document["cases"], file.cases, strict=True):
        found = _refused(spec, case) if case.result == "invalid" else _numbers(spec, case)
        if found is not None:
            entry["float64"] = found
    return {**document, "schema": SCHEMA, "answer": answer}


def _counts(cases: list[Mapping[str, Any]]) -> dict[str, int]:
    results = [case["result"] for case in cases]
    return {result: results.count(result) for result in sorted(set(results))}


def _numbers(spec: Formula, case: Case) -> dict[str, Any] | None:
    """Inputs and answers of a case as a program has them; ``None`` where a letter stays a symbol."""
    inputs = rows_of(spec, case.given, case.batch).together
    if inputs.symbols or any(parameter.kind not in _KINDS for parameter in spec.parameters):
        return None
    outputs = {
        output.name: output for output in spec.outputs if output.kind == "number" and not output.exact_only
    }
    return {
        "inputs": {
            name: _plain(value) for name, value in from_exact(inputs, "numpy").items() if value is not None
        },
        "answers": {
            name: map_nested(_number, want.decimal)
            for name, want in case.want.items()
            if name in outputs and want.decimal is not None
        },
        "digits": float(case.digits.get("float64", DEMANDED["float64"])),
        "scale": input_scale(inputs),
    }


def _number(decimal: str) -> float | str:
    value = float(read_decimal(decimal))
    return value if math.isfinite(value) else str(value)


def _plain(value: Any) -> Any:
    """Arrays as lists; infinities, which JSON has not, as the words of ``conform --exec``."""
    if hasattr(value, "mdp"):
        parts = {
            "p": value.p,
            "r": value.r,
            "start": value.start,
            "terminal": list(map(bool, value.mdp.terminal)),
        }
        names = {"states": list(value.mdp.states), "actions": list(value.mdp.actions)}
        return {name: _plain(part) for name, part in parts.items()} | names
    found = value.tolist() if hasattr(value, "tolist") else value
    return map_nested(
        lambda part: str(part) if isinstance(part, float) and not math.isfinite(part) else part, found
    )


def _refused(spec: Formula, case: Case) -> dict[str, Any] | None:
    """The inputs of a case that must be refused; ``None`` where rounding brings them into their domain."""
    kinds = {parameter.name: parameter.kind for parameter in spec.parameters}
    inputs = {
        name: map_nested(_read, value) if kinds.get(name) in ("number", "integer", "flag") else value
        for name, value in case.given.items()
    }
    if any(kind not in _KINDS for kind in kinds.values()):
        return None
    try:
        rows_of(spec, inputs, case.batch)
    except InputError:
        return {"inputs": inputs}
    return None


def _read(text: Any) -> Any:
    try:
        return to_float(parse_number(text)) if isinstance(text, str) else text
    except (InputError, TypeError, ValueError):
        return text


def plain(document: Mapping[str, Any]) -> Iterator[str]:
    """Cases whose inputs are all numbers, a line for each of them: name, rank, lengths, values.

    ``case ID DIGITS SCALE`` or ``invalid ID CODE``, then ``in NAME …`` and ``out NAME …``, then ``end``.
    """
    for case in document["cases"]:
        found = case.get("float64")
        if found is None or not all(map(_is_plain, found["inputs"].values())):
            continue
        if case["result"] == "invalid":
            yield f"invalid {case['id']} {case['error']}"
        else:
            yield f"case {case['id']} {found['digits']:g} {found['scale']!r}"
        yield from (_line("in", name, value) for name, value in found["inputs"].items())
        yield from (_line("out", name, value) for name, value in found.get("answers", {}).items())
        yield "end"


def _is_plain(value: Any) -> bool:
    return not isinstance(value, dict) and all(
        isinstance(part, int | float) or part in ("inf", "-inf") for part in flatten(value)
    )


def _line(kind: str, name: str, value: Any) -> str:
    lengths = shape(value)
    values = [repr(float(part)) for part in flatten(value)]
    return " ".join([kind, name, str(len(lengths)), *map(str, lengths), *values])
