"""Every data file against its JSON Schema; the schemas against broken files."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from jsonschema import Draft202012Validator

from rlcalc.data import data_folder, read_toml
from rlcalc.errors import DataError
from rlcalc.specs import read_formula

SCHEMAS = data_folder("specs") / "schemas"
GOLDEN = sorted(data_folder("golden").rglob("*.toml"))
FORMULAS = sorted((data_folder("specs") / "formulas").glob("*.toml"))
CLAIMS = sorted((data_folder("specs") / "claims").glob("s[0-9].toml"))


def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{kind}.schema.json").read_text("utf-8")))


def errors(kind: str, data: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(kind).iter_errors(data)]


@pytest.mark.parametrize("kind", ["golden", "formula", "claims"])
def test_schema_is_one(kind: str) -> None:
    Draft202012Validator.check_schema(validator(kind).schema)


@pytest.mark.parametrize(("kind", "paths"), [("golden", GOLDEN), ("formula", FORMULAS), ("claims", CLAIMS)])
def test_every_file_keeps_to_its_schema(kind: str, paths: list[Path]) -> None:
    assert paths
    assert {path.name: found for path in paths if (found := errors(kind, read_toml(path)))} == {}


def test_a_specification_is_named_after_its_formula() -> None:
    for path in FORMULAS:
        data = read_toml(path)
        assert data["name"] == path.stem
        assert data["command"].replace("-", "_") in (data["name"], data["name"].removesuffix("_return"))


def all_objects(schema: Any) -> list[dict[str, Any]]:
    """Every part of a schema that describes a table with named keys."""
    if isinstance(schema, list):
        return [found for part in schema for found in all_objects(part)]
    if not isinstance(schema, dict):
        return []
    here = [schema] if schema.get("type") == "object" and "properties" in schema else []
    return here + [found for part in schema.values() for found in all_objects(part)]


@pytest.mark.parametrize(("kind", "tables"), [("golden", 5), ("formula", 5), ("claims", 4)])
def test_no_table_takes_extra_keys(kind: str, tables: int) -> None:
    found = all_objects(validator(kind).schema)
    assert len(found) >= tables
    assert all(part["additionalProperties"] is False for part in found)


def lambda_golden() -> dict[str, Any]:
    return copy.deepcopy(read_toml(data_folder("golden") / "lambda_return.toml"))


def lambda_spec() -> dict[str, Any]:
    return copy.deepcopy(read_toml(data_folder("specs") / "formulas" / "lambda_return.toml"))


def case_of(data: dict[str, Any], result: str) -> dict[str, Any]:
    return next(case for case in data["case"] if case["result"] == result)


@pytest.mark.parametrize(
    ("result", "change"),
    [
        ("valid", {"abuot": "x"}),
        ("valid", {"id": "lambda_return/7"}),
        ("valid", {"flags": []}),
        ("valid", {"result": "ok"}),
        ("valid", {"error": "gamma_out_of_range"}),
        ("valid", {"otherwise": [{"when": "x", "given": {}, "want": {"return": {"exact": "1"}}}]}),
        ("valid", {"want": {}}),
        ("valid", {"want": {"return": {"decimal": "1"}}}),
        ("valid", {"want": {"return": {"exact": "1", "decimal": "about 1"}}}),
        ("valid", {"want": {"return": {"exact": 2.75}}}),
        ("valid", {"given": {"rewards": ["1"], "lam": 0.5}}),
        ("valid", {"given": {"rewards": [True], "lam": "1"}}),
        ("valid", {"digits": {"float64": 9}}),
        ("valid", {"digits": {"float64": -1, "reason": "x"}}),
        ("acceptable", {"otherwise": []}),
        ("invalid", {"error": "Too large!"}),
        ("invalid", {"want": {"return": {"exact": "1"}}}),
    ],
)
def test_broken_golden_case_is_refused(result: str, change: dict[str, Any]) -> None:
    data = lambda_golden()
    case_of(data, result).update(change)
    assert errors("golden", data)


@pytest.mark.parametrize(
    ("result", "key"), [("valid", "want"), ("acceptable", "otherwise"), ("invalid", "error")]
)
def test_incomplete_golden_case_is_refused(result: str, key: str) -> None:
    data = lambda_golden()
    del case_of(data, result)[key]
    assert errors("golden", data)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (None, {"sektions": ["1"]}),
        (None, {"group": "Other"}),
        (None, {"sections": []}),
        ("parameter", {"kind": "float"}),
        ("parameter", {"kind": "choice"}),
        ("parameter", {"domain": "[0; 1]"}),
        ("parameter", {"shape": ["T-1"]}),
        ("parameter", {"defualt": "1"}),
        ("parameter", {"may_be_empty": True}),  # no formula has a value for nothing
        ("output", {"kind": "vector"}),
        ("output", {"exact": True}),
        ("example", {"result": "1"}),
        ("convention", {"why": "1"}),
    ],
)
def test_broken_specification_is_refused_by_schema_and_reader(
    tmp_path: Path, table: str | None, change: dict[str, Any]
) -> None:
    data = lambda_spec()
    (data if table is None else data[table][0]).update(change)
    assert errors("formula", data)
    path = tmp_path / "lambda_return.toml"
    path.write_text(tomlkit.dumps(data), "utf-8")
    with pytest.raises(DataError):
        read_formula(path)
