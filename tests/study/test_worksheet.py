"""``rlcalc worksheet``: the same sheet for the same seed, answers that are right, LaTeX that compiles."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest

from rlcalc.specs import formula_names, load_formula
from rlcalc.study.worksheet import sheet
from tests.command import run

LINE = ("worksheet", "lambda-return", "q-learning", "--seed", "7", "--count", "4")


def test_the_same_seed_gives_the_same_sheet():
    first = run(*LINE)
    assert first[0] == 0
    assert run(*LINE) == first
    assert run(*LINE[:-4], "--seed", "8", "--count", "4")[1] != first[1]
    assert first[1].count("\n## ") == 4
    assert "Solutions" not in first[1]


def test_solutions_are_what_their_commands_print():
    out = run(*LINE, "--solutions")[1].partition("# Solutions")[2]
    answers = re.findall(r"\*\*\S+ = (.*)\*\*\n\n`rlcalc (.*)`", out)
    assert len(answers) == 4
    for answer, line in answers:
        printed = run(*shlex.split(line), "-q")[1]
        assert answer.replace("−", "-").replace(",", "") == printed.strip().replace(",", "")


@pytest.mark.parametrize(
    ("form", "start", "end"),
    [
        ("markdown", "# Exercises", "`"),
        ("latex", "\\documentclass", "\\end{document}"),
        ("html", "<!doctype html>", "</body></html>"),
    ],
)
def test_every_format_is_whole(form, start, end):
    code, out, _ = run(*LINE, "--solutions", "--format", form)
    assert code == 0
    assert out.startswith(start)
    assert out.rstrip().endswith(end)
    if form == "latex":
        assert out.isascii()
        assert out.count("\\begin{align*}") == 4
        assert "aligned" not in out


def test_bad_use_is_refused():
    assert run("worksheet")[0] == 2
    assert run(*LINE, "--format", "word")[0] == 2
    assert run("worksheet", "gae", "--count", "0")[0] == 2


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed")
@pytest.mark.slow
def test_latex_compiles_and_breaks_across_pages(tmp_path):
    # every derivation is compiled in test_latex.py; these two are hard to draw
    names = [*formula_names()[::6], "average_reward", "sft_loss"]
    formulas = [load_formula(name) for name in names]
    text = sheet(formulas, 1, len(formulas), "latex", True)
    (tmp_path / "sheet.tex").write_text(text, "utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "sheet.log").read_text("latin-1")
    assert "Overfull \\vbox" not in log  # a block that fits no page
