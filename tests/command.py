"""One command line as a test calls it."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

from rlcalc.cli import main

LINE = ("lambda-return", "--rewards", "1", "2", "3", "--lam", "0.5")  # 11/4


def run(*words: object) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(word) for word in words])
    return code, out.getvalue(), err.getvalue()
