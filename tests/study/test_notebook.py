"""What a notebook shows of an answer and of an error."""

from __future__ import annotations

import pytest

import rlcalc


def test_an_answer_has_title_inputs_answer_and_notes():
    found = rlcalc.evaluate("lambda_return", {"rewards": [1, 2, 3], "lam": "1/2", "alpha": "3/2"})
    page = found._repr_html_()
    for part in ("<b>λ-return</b>", "<code>1, 2, 3</code>", "<code>11/4</code>", "The backends agree."):
        assert part in page
    assert "overshoots" in page  # the note on a step size above 1
    assert "<details><summary>" in page
    for display in (found._repr_latex_(), found.derivation._repr_latex_()):
        assert display.startswith("$\\displaystyle \\begin{aligned}\n&\\textbf{λ-return}")
        assert "&\\boxed{" in display
        assert "\\frac{11}{4}}" in display
        assert "overshoots" in display
    assert len(repr(found)) < 100
    assert found.derivation._repr_html_().count("<table>") == 2


def test_entries_are_behind_the_names_of_states_and_actions():
    page = rlcalc.evaluate("value_iteration", {"mdp": "racing", "gamma": "9/10", "sweeps": 2})._repr_html_()
    assert "<code>cool 67/20, warm 47/20, overheated 0</code>" in page
    assert "cool: slow 14/5, fast 67/20; warm: slow 47/20, fast −10" in page
    steps = "A l 1 B; B l 2 end"
    page = rlcalc.evaluate("q_learning", {"steps": steps, "alpha": "1/2"})._repr_html_()
    assert "<code>1, 2</code>" in page


def test_what_was_typed_is_no_markup():
    page = rlcalc.derive("token_mdp", prompt="<b>", tokens=["<script>"], reward=1)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_an_error_is_three_lines():
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.derive("lambda_return", rewards=[1], lam=2)
    lines = caught.value._render_traceback_()
    assert len(lines) <= 3
    assert lines[0] == "InputError (lam_out_of_range)"


def test_ipython_prints_no_traceback(tmp_path):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        shell.run_cell("import rlcalc; rlcalc.derive('lambda_return', rewards=[1], lam=2)")
    assert 2 <= len(out.getvalue().strip().splitlines()) <= 3
