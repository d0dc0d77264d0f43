"""The claim files: complete, in order, in the vocabulary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rlcalc.audit import claims
from rlcalc.audit.claims import CHAPTERS, Review, load_claims, record, reviewed
from rlcalc.audit.registry import load_checks
from rlcalc.audit.runner import check_of
from rlcalc.data import data_folder
from rlcalc.errors import DataError, InputError
from tests.refused import refused

FILES = sorted((data_folder("specs") / "claims").glob("s[0-9].toml"))
RECORDED = (Path(__file__).parent / "claim_ids.txt").read_text("utf-8").split()


def test_every_recorded_statement_is_a_claim() -> None:
    assert [id for id in RECORDED if id not in load_claims()] == []


def test_every_claim_has_a_check() -> None:
    assert [id for id, claim in load_claims().items() if check_of(claim) is None] == []


def test_what_is_only_recorded_says_why_and_nothing_else_does() -> None:
    recorded = {id for id, one in reviewed().items() if one.verdict == "recorded"}
    assert {id for id, claim in load_claims().items() if claim.read_off} == recorded


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_function_has_a_claim_and_no_second_check(chapter: str) -> None:
    for id in load_checks(chapter):
        claim = load_claims()[id]
        assert not any((claim.check, claim.fact, claim.same_as, claim.unknowable)), id


def write(folder: Path, **changes: Any) -> None:
    entry = {
        "id": "L1.1-a",
        "kind": "identity",
        "statement": "One is one.",
        "reference": ["a book"],
        **changes,
    }
    lines = ['schema = "rlcalc-claims-1"', "[[claim]]"]
    tables = {key: value for key, value in entry.items() if isinstance(value, dict)}
    lines += [f"{key} = {json.dumps(value)}" for key, value in entry.items() if value and key not in tables]
    for key, table in tables.items():
        lines += [f"[claim.{key}]", *(f"{name} = {json.dumps(value)}" for name, value in table.items())]
    (folder / "s1.toml").write_text("\n".join(lines), "utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    checkout = tmp_path / "specs" / "claims"
    checkout.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(claims, "folder", lambda: checkout)
    load_claims.cache_clear()
    yield checkout  # type: ignore[misc]
    load_claims.cache_clear()


def test_a_good_file_is_read(folder: Path) -> None:
    write(folder)
    assert list(load_claims()) == ["L1.1-a"]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "L2.1-a"},
        {"id": "1.1-a"},
        {"section": "1.1"},
        {"kind": "opinion"},
        {"verdict": "proved"},
        {"statement": None},
        {"reference": None},
        {"reference": "a book"},
        {"template": "x = @part"},
        {"same_as": "L1.1-none"},
        {"opinion": {"text": "x"}},
        {"reading": {"text": "x"}, "condition": {"text": "y"}},
        {"reading": {"text": "x", "kind": "condition"}},
    ],
    ids=str,
)
def test_a_bad_file_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    write(folder, **changes)
    with refused(DataError, "bad_claim"):
        load_claims()


def test_recording_keeps_other_verdicts(folder: Path) -> None:
    write(folder)
    record({"L1.1-a": "proved", "L9-gone": "wrong"})
    assert {id: one.verdict for id, one in reviewed().items()} == {"L1.1-a": "proved"}
    record({"L1.1-a": "wrong"})
    assert reviewed()["L1.1-a"] == Review("wrong", load_claims()["L1.1-a"].fingerprint)


def test_an_installed_package_is_not_written_into(folder: Path) -> None:
    write(folder)
    (folder.parents[1] / "pyproject.toml").unlink()
    with refused(InputError, "not_a_checkout"):
        record({"L1.1-a": "proved"})
    assert not (folder / "reviewed.toml").exists()


@pytest.mark.parametrize("change", [{"statement": "Two is two."}, {"formula": "1 = 2"}])
def test_the_fingerprint_is_of_the_words(folder: Path, change: dict[str, str]) -> None:
    write(folder)
    before = load_claims()["L1.1-a"].fingerprint
    write(folder, **change)
    load_claims.cache_clear()
    assert load_claims()["L1.1-a"].fingerprint != before


@pytest.mark.parametrize(
    "line", ['"a" = { verdict = "fine", text = "x" }', '"a" = "proved"', '"a" = { verdict = "proved" }']
)
def test_a_bad_review_is_refused(folder: Path, line: str) -> None:
    (folder / "reviewed.toml").write_text(f'schema = "rlcalc-reviewed-2"\n[claim]\n{line}\n', "utf-8")
    with refused(DataError, "bad_review"):
        reviewed()


def test_a_repeated_claim_has_the_formula_and_the_repair_of_its_source() -> None:
    repeated, source = load_claims()["L9-takeaway-pg"], load_claims()["L4.3-per-timestep"]
    assert source.formula
    assert source.repair
    assert (repeated.formula, repeated.repair) == (source.formula, source.repair)
    assert repeated.statement != source.statement
