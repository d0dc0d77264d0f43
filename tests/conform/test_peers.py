"""The matrix of libraries, with a library made up here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rlcalc.cli import main
from rlcalc.conform import peers
from rlcalc.conform.peers import Adapter, Library, libraries, library
from rlcalc.conform.peers.matrix import (
    BEGIN,
    END,
    NOT_RUN,
    cells,
    matrix_json,
    matrix_lines,
    matrix_markdown,
    write_between,
)
from rlcalc.errors import DataError, UnknownName


def _right() -> Any:
    import rlcalc

    return rlcalc.gae


def _loss() -> Any:
    def loss(ratio: Any, adv: Any, eps: Any) -> Any:
        import numpy as np

        return -np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)

    return loss


def _wrong() -> Any:
    def advantages(rewards: Any, values: Any, gamma: Any, lam: Any) -> Any:
        import rlcalc

        return rlcalc.gae(rewards, values, gamma, lam) * 2

    return advantages


def _scaled(variant: str) -> Any:
    factor = {"once": 1, "thrice": 3}[variant]

    def advantages(rewards: Any, values: Any, gamma: Any, lam: Any) -> Any:
        import rlcalc

        return factor * rlcalc.gae(rewards, values, gamma, lam)

    return advantages


def _broken() -> Any:
    raise ImportError("libnothing.so: cannot open shared object file")


LIBRARY = Library(
    "made_up",
    "made-up",
    "1.2.3",
    (
        Adapter("made_up.gae", "gae", _right),
        Adapter("made_up.loss", "ppo_clip", _loss, conventions=("loss",), note="documents a loss"),
        Adapter("made_up.loss", "ppo_clip", _loss),
        Adapter("made_up.double", "gae", _wrong),
        Adapter("made_up.broken", "gae", _broken),
    ),
)
ABSENT = Library("absent", "absent", "", (Adapter("absent.f", "gae", _broken),))


@pytest.fixture(scope="module")
def found() -> list[Any]:
    return cells([LIBRARY, ABSENT], random=15)


def test_verdicts(found: list[Any]) -> None:
    assert [c.verdict for c in found] == [
        "conforms",
        "conforms-under-convention",
        "conforms-under-convention",
        "nonconforming",
        NOT_RUN,
    ]
    assert [c.documented for c in found] == [False, True, False, False, False]
    assert all((c.example is not None) == (c.verdict == "nonconforming") for c in found)


def test_a_counterexample_stands_alone(found: list[Any]) -> None:
    wrong = found[3].example.test
    assert "def _wrong()" in wrong
    assert "call = _wrong()" in wrong
    space: dict[str, Any] = {}
    exec(compile(wrong, "counterexample", "exec"), space)
    with pytest.raises(AssertionError):
        space["test_gae_counterexample"]()


def test_printers(found: list[Any], tmp_path: Path) -> None:
    chosen = [LIBRARY, ABSENT]
    data = json.loads(json.dumps(matrix_json(found, chosen), allow_nan=False))
    assert len(data["cells"]) == 5
    assert data["libraries"][1] == {"name": "absent", "version": None, "adapters": 1}
    text = "\n".join(matrix_lines(found, chosen))
    assert "absent: not installed" in text
    assert "conforms under loss" in text
    table = matrix_markdown(found, chosen)
    assert "| made-up 1.2.3 | `made_up.gae` | gae | conforms |" in table
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_between(path, table)
    write_between(path, table)
    assert path.read_text() == f"before\n{BEGIN}\n{table}{END}\nafter\n"
    path.write_text("nothing")
    with pytest.raises(DataError):
        write_between(path, table)


def test_known_libraries() -> None:
    assert [lib.name for lib in libraries()] == list(peers.LIBRARIES)
    for lib in libraries():
        for adapter in lib.adapters:
            assert adapter.formula
    with pytest.raises(UnknownName) as caught:
        library("torchlr")
    assert "torchrl" in caught.value.hint


def test_one_adapter_for_functions_that_are_called_alike() -> None:
    for variant, verdict in (("once", "conforms"), ("thrice", "nonconforming")):
        adapter = Adapter(f"made_up.{variant}", "gae", _scaled, variant=variant)
        assert cells([Library("made_up", "made-up", "1", (adapter,))], 0)[0].verdict == verdict
    (wrong,) = cells([Library("made_up", "made-up", "1", (adapter,))], 0)
    assert wrong.example is not None
    assert 'call = _scaled("thrice")' in wrong.example.test
    space: dict[str, Any] = {}
    exec(compile(wrong.example.test, "counterexample", "exec"), space)
    with pytest.raises(AssertionError):
        space["test_gae_counterexample"]()


def test_table_and_report_from_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "libraries", lambda: [LIBRARY, ABSENT])
    table, report = tmp_path / "README.md", tmp_path / "peers.md"
    for path in (table, report):
        path.write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    assert main(["peers", "--random", "0", "--write", str(table), "--report", str(report)]) == 0
    assert "made-up 1.2.3" in capsys.readouterr().out
    short, long = table.read_text(), report.read_text()
    grid = "| gae | conforms<br>"
    assert grid in short
    assert grid in long
    assert "<details>" not in short
    assert "def test_gae_counterexample" in long
    assert long.startswith("before\n")
    assert long.endswith("after\n")
