"""``rlcalc audit`` as typed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rlcalc.audit import claims
from rlcalc.audit.claims import load_claims, reviewed
from tests.command import run


def typed(words: str) -> tuple[int, str, str]:
    return run("audit", *words.split())


@pytest.mark.parametrize(
    ("words", "shown", "hidden"),
    [
        (
            "--section 2.2",
            ["WRONG", "L2.2-lambda1-equal-weights: "],
            ["the complete return gets all the weight", "\x1b"],
        ),
        ("--section 2.2 --all", ["CONDITIONAL", "the complete return gets all the weight"], []),
        (
            "--claim L2.2-weights-sum",
            ["conditional", "induction", "base:", "step:", "golden case", "Sutton", "Σ_{n=1}^∞", "tied"],
            [],
        ),
        ("--claim L4.1-darts-values", ["formula: none, so that nothing ties these words"], ["formula: tied"]),
        # one claim is shown whatever its verdict
        ("--claim L2.2-lambda0 --verdict wrong", ["L2.2-lambda0: proved", "0 of 1 claims are wrong"], []),
        ("--section 2 --verdict wrong", ["equal-weights", "claims are wrong"], ["L2.2-weights-sum"]),
    ],
)
def test_views(words: str, shown: list[str], hidden: list[str]) -> None:
    code, out, err = typed(words)
    assert code == 0
    assert [part for part in shown if part not in out + err] == []
    assert [part for part in hidden if part in out] == []
    # commands are kept on one line, so that they can be copied
    assert [line for line in out.splitlines() if len(line) > 80 and "$ rlcalc" not in line] == []


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("--section 3.2 --verdict conditional", "a critic is: optional"),  # what the row says
        ("--section 3.2 --verdict imprecise", "that it was given, and did not learn\n"),  # said already
    ],
)
def test_a_fact_is_shown_with_its_value(words: str, shown: str) -> None:
    assert shown in typed(words)[1]


def test_claims_are_listed_without_being_run() -> None:
    code, out, _ = typed("--list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(load_claims())


@pytest.mark.parametrize("verdict", ["recorded", "wrong"])
def test_a_list_takes_the_reviewed_verdict(verdict: str) -> None:
    wanted = [id for id, review in reviewed().items() if review.verdict == verdict]
    code, out, err = typed(f"--list --verdict {verdict}")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == wanted
    assert f"{len(wanted)} of {len(load_claims())} claims were {verdict} when last reviewed" in err
    code, out, _ = typed(f"--list --json --verdict {verdict}")
    assert [one["id"] for one in json.loads(out)["claims"]] == wanted


def test_json() -> None:
    code, out, _ = typed("--section 2.4 --json --self-check")
    data = json.loads(out)
    assert code == 0
    assert data["changed"] == []
    assert data["counts"]["proved"] == len(data["claims"]) == 5
    assert data["corruptions"]["missed"] == 0
    assert all(one["seconds"] >= 0 and one["evidence"] for one in data["claims"])


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("--claim L2.2-weight-sum", "L2.2-weights-sum"),
        ("--claim nonsense", "lists them"),
        ("--section 1.1 --claim L2.2-weights-sum", "is not in section 1.1"),
        ("--section 2.9", "2.2"),
        ("--verdict wrnog", "wrong"),
        ("--json --errata", "Choose one"),
        ("--list --errata", "--list computes nothing, and --errata"),
        ("--list --self-check", "--self-check needs"),
        ("--list --record", "--record needs"),
        ("--list --html x.html", "--html needs"),
        ("--html nowhere/x.html", "nowhere"),  # before anything is proved
        ("--list --verdict recordd", "recorded"),
        ("--sectoin 2.2", "--section"),
        ("--section", ""),
        ("--jobs 0", ""),
        ("--claim [bold]x[/bold]", "'[bold]x[/bold]'"),
    ],
)
def test_bad_usage(words: str, part: str) -> None:
    code, out, err = typed(words)
    assert code == 2
    assert out == ""
    assert err.startswith("error:")
    assert part in err


@pytest.fixture
def review(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the claims, whose review may be altered."""
    checkout = tmp_path / "specs" / "claims"
    checkout.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    for path in claims.folder().glob("*.toml"):
        (checkout / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(claims, "folder", lambda: checkout)
    load_claims.cache_clear()
    yield checkout / "reviewed.toml"  # type: ignore[misc]
    load_claims.cache_clear()


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        (
            "reviewed.toml",
            'result" = { verdict = "proved',
            'result" = { verdict = "wrong',
            "reviewed as wrong",
        ),
        ("s2.toml", "1, 3 and 6.", "1, 3 and 7.", "L2.4-Gn: its words have changed"),
    ],
)
def test_what_was_not_reviewed_fails_until_it_is(
    name: str, old: str, new: str, message: str, review: Path
) -> None:
    path = review.with_name(name)
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    load_claims.cache_clear()
    code, _, err = typed("--section 2.4")
    assert code == 1
    assert message in err
    assert typed("--section 2.2")[0] == 0
    assert typed("--section 2.4 --record")[0] == 0
    assert typed("--section 2.4")[0] == 0
    assert reviewed()["L2.4-result"].verdict == "proved"


def test_a_claim_never_reviewed_fails(review: Path) -> None:
    review.unlink()
    code, _, err = typed("--claim L2.4-result")
    assert code == 1
    assert "never reviewed" in err


def test_a_fault_is_never_recorded(review: Path) -> None:
    path = review.with_name("s2.toml")
    extra = '\n[[claim]]\nid = "L2.4-new"\nkind = "identity"\n'
    extra += 'statement = "x"\nreference = ["y"]\n'
    path.write_text(path.read_text("utf-8") + extra, "utf-8")
    load_claims.cache_clear()
    code, out, err = typed("--section 2.4 --record")
    assert code == 1
    assert "UNDECIDED" in out
    assert "L2.4-new: undecided" in err
    assert "L2.4-new" not in reviewed()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals to a group are POSIX")
def test_an_interrupted_audit_ends_at_once_and_without_tracebacks() -> None:
    words = [sys.executable, "-c", _ANNOUNCED, "audit", "--jobs", "2"]
    # a group of its own, to which the signal goes as from a terminal
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline() == "a claim is done\n"  # the workers are at their proofs
            os.killpg(process.pid, signal.SIGINT)
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert err.splitlines()[-1] == "error: interrupted"
    assert "Traceback" not in err


# the command line, saying when the first claim is done
_ANNOUNCED = """
import sys
from contextlib import contextmanager
from rlcalc.cli import audit, main

@contextmanager
def announced():
    yield lambda stage, done, total: done == 1 and print("a claim is done", file=sys.stderr, flush=True)

if __name__ == "__main__":
    audit.Progress = announced
    sys.exit(main(sys.argv[1:]))
"""
