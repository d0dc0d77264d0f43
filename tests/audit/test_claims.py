"""The claim files: complete, in order, in the vocabulary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rlcalc.audit import claims
from rlcalc.audit.claims import CHAPTERS, load_claims, record, reviewed, select
from rlcalc.audit.registry import load_checks
from rlcalc.data import data_folder, read_toml
from rlcalc.errors import DataError, UnknownName

FILES = sorted((data_folder("specs") / "claims").glob("s[0-9].toml"))
RECORDED = (Path(__file__).parent / "claim_ids.txt").read_text("utf-8").split()


def test_every_recorded_statement_is_a_claim() -> None:
    assert [id for id in RECORDED if id not in load_claims()] == []


def test_there_are_enough_of_them() -> None:
    assert len(RECORDED) == len(set(RECORDED)) == 167


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_keeps_to_its_schema(path: Path) -> None:
    schema = json.loads((data_folder("specs") / "schemas" / "claims.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    errors = [
        f"{e.json_path}: {e.message}" for e in Draft202012Validator(schema).iter_errors(read_toml(path))
    ]
    assert errors == []


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_claim_has_a_function_and_every_function_a_claim(chapter: str) -> None:
    ids = {claim.id for claim in load_claims().values() if claim.chapter == chapter}
    assert set(load_checks(chapter)) == ids


def write(folder: Path, **changes: Any) -> None:
    entry = {
        "id": "L1.1-a",
        "section": "1.1",
        "kind": "identity",
        "statement": "One is one.",
        "reference": ["a book"],
        **changes,
    }
    lines = ['schema = "rlcalc-claims-1"', "[[claim]]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in entry.items() if value is not None]
    (folder / "s1.toml").write_text("\n".join(lines), "utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(claims, "folder", lambda: tmp_path)
    load_claims.cache_clear()
    yield tmp_path  # type: ignore[misc]
    load_claims.cache_clear()


def test_a_good_file_is_read(folder: Path) -> None:
    write(folder)
    assert list(load_claims()) == ["L1.1-a"]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "L1.2-a"},
        {"id": "1.1-a"},
        {"section": "2.1"},
        {"kind": "opinion"},
        {"verdict": "proved"},
        {"statement": None},
        {"reference": None},
    ],
    ids=str,
)
def test_a_bad_file_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    write(folder, **changes)
    with pytest.raises(DataError) as caught:
        load_claims()
    assert caught.value.code == "bad_claim"


def test_recording_keeps_other_verdicts(folder: Path) -> None:
    write(folder)
    record({"L1.1-a": "proved", "L9-gone": "wrong"})
    assert reviewed() == {"L1.1-a": "proved"}  # what is no claim any more is dropped
    record({"L1.1-a": "wrong"})
    assert reviewed() == {"L1.1-a": "wrong"}


def test_a_bad_review_is_refused(folder: Path) -> None:
    (folder / "reviewed.toml").write_text('schema = "rlcalc-reviewed-1"\n[verdict]\n"a" = "fine"\n', "utf-8")
    with pytest.raises(DataError) as caught:
        reviewed()
    assert caught.value.code == "bad_review"


def test_select() -> None:
    assert {claim.section for claim in select("2.2")} == {"2.2"}
    assert {claim.chapter for claim in select("2")} == {"2"}
    assert [claim.id for claim in select(None, "L2.2-weights-sum")] == ["L2.2-weights-sum"]
    assert [claim.id for claim in select("2.2", "L2.2-weights-sum")] == ["L2.2-weights-sum"]


@pytest.mark.parametrize(
    ("section", "id", "code", "hint"),
    [
        (None, "L2.2-weight-sum", "unknown_claim", "L2.2-weights-sum"),
        (None, "nonsense", "unknown_claim", "lists them"),
        ("2.9", None, "unknown_section", "2.2"),
        ("1.1", "L2.2-weights-sum", "unknown_claim", ""),
    ],
)
def test_select_refuses(section: str | None, id: str | None, code: str, hint: str) -> None:
    with pytest.raises(UnknownName) as caught:
        select(section, id)
    assert caught.value.code == code
    assert hint in caught.value.hint
