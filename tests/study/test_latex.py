"""The derivation of every kind as LaTeX: it compiles where a LaTeX is installed, and its rows fit a page."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest

from rlcalc.specs import heads, load_formula
from rlcalc.steps.broken import broken
from tests.command import run

# besides the first example of every formula: long sums, systems, rounds, sweeps, steps of a table
MORE = [
    ["policy-eval", "--mdp", "student", "--gamma", "0.9"],
    ["policy-iteration", "--mdp", "robot", "--policy", "wait", "wait", "--gamma", "0.9"],
    ["value-iteration", "--mdp", "racing", "--gamma", "0.9", "--sweeps", "2", "--in-place"],
    ["bellman", "--mdp", "aima4x3"],
    [
        "ipo-loss",
        "--chosen",
        "-7 -4",
        "--rejected",
        "-6 -5",
        "--ref-chosen",
        "-7 -1",
        "--ref-rejected",
        "-1 -2",
    ],
]
PREAMBLE = r"""\documentclass[a4paper,11pt]{article}
\usepackage{amsmath,amssymb}
\usepackage[margin=25mm]{geometry}
\begin{document}
"""


def derivations() -> list[str]:
    examples = [(load_formula(head.name).command, load_formula(head.name).examples[0]) for head in heads()]
    lines = [[command, *shlex.split(example["args"])] for command, example in examples]
    found = []
    for words in [*lines, *MORE]:
        code, out, err = run(*words, "--latex")
        assert code == 0, (words, err)
        found.append(out)
    return found


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return derivations()


def test_braces_and_environments_close_and_no_index_is_raised_twice(texts: list[str]) -> None:
    for text in texts:
        plain = text.replace(r"\{", "").replace(r"\}", "")
        assert plain.count("{") == plain.count("}")
        assert text.count(r"\left") - text.count(r"\leftarrow") == text.count(r"\right") - text.count(
            r"\rightarrow"
        )
        assert text.count(r"\begin{align*}") == text.count(r"\end{align*}") == 1
        assert not any(sign in words for words in re.findall(r"\\text\{([^}]*)\}", text) for sign in "|<>")
        assert not re.search(r"'_\{[^{}]*\}\^", text), text  # a prime is a superscript already


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed")
def test_they_compile_and_fit_the_page(tmp_path, texts: list[str]) -> None:
    (tmp_path / "all.tex").write_text(PREAMBLE + "\n\n".join(texts) + "\\end{document}\n", "utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=tmp_path, capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "all.log").read_text("latin-1")
    assert "Overfull \\vbox" not in log
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([0-9.]+)pt", log)]
    assert max(wide, default=0) < 60, wide


def test_a_row_is_broken_before_a_sign_of_the_sum() -> None:
    row = "G &= " + " + ".join(rf"\frac{{{k}}}{{1{k}}} \cdot \left(a - {k}\right)" for k in range(9))
    parts = broken(row, 40)
    assert len(parts) > 2
    assert parts[0].startswith("G &= ")
    assert all(part.startswith(r"&\qquad {} + ") or part.startswith(r"&\qquad {} - ") for part in parts[1:])
    together = parts[0] + "".join(" " + part.removeprefix(r"&\qquad {} ") for part in parts[1:])
    assert together == row.replace(r"\left(", r"\bigl(").replace(r"\right)", r"\bigr)")
    assert broken("x &= y + z") == ["x &= y + z"]
    assert broken(r"x &= \frac{" + "a + " * 40 + "a}{2}")[1:] == []
