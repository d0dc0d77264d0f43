"""The pages that are written by hand: every command and every line of Python in them, run as printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shown import ROOT, Document, environment

DOCUMENTS = [
    Document(path) for path in sorted((ROOT / "docs").rglob("*.md")) if "node_modules" not in path.parts
]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return environment(tmp_path_factory.mktemp("bin"))


@pytest.mark.parametrize(
    ("document", "command", "expected"), [one for document in DOCUMENTS for one in document.commands()]
)
def test_command_prints_what_is_shown(
    document: Document,
    command: str,
    expected: list[str],
    shell: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    document.compare(command, expected, shell, tmp_path)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.path.stem)
def test_python_prints_what_is_shown(document: Document) -> None:
    assert document.check_python() == 0
