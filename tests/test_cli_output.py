"""What is printed, where, and with which exit code."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
from fractions import Fraction
from itertools import chain, product

import pytest

from rlcalc.cli import CRASHED, main
from rlcalc.cli.numbers import View
from rlcalc.cli.tables import Column, arranged
from rlcalc.heads import heads
from rlcalc.specs import load_formula
from tests.command import LINE, run


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def run(*words):
        out, err = Terminal(), Terminal()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = main(list(words))
        return code, out.getvalue(), err.getvalue()

    return run


# for people


def test_a_student_can_copy_it():
    code, out, err = run(*LINE)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert "λ = 1/2" in lines
    assert "γ = 1  (default)" in lines
    assert "c_3 = w_3·G_0^(3) = 1/4·6 = 3/2" in lines
    assert "G_0^λ = 11/4 = 2.75  (return)" in lines
    assert "w_n = [1/2, 1/4, 1/4] = [0.5, 0.25, 0.25]  (weights)" in lines
    assert re.fullmatch(r"NumPy agrees: 2\.75 \(15\.\d digits or more everywhere\)\.", lines[-1])
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--rewards", "1/3"], "G_0^λ = 1/3 ≈ 0.3333333333  (return)"),
        (["--rewards", "1/3", "--digits", "3"], "G_0^λ = 1/3 ≈ 0.333  (return)"),
        (["--rewards", "1/3", "--decimal"], "G_0^λ = 0.3333333333  (return)"),
        (["--rewards", "-1/8", "--digits", "2"], "G_0^λ = −1/8 ≈ −0.12  (return)"),
        (["--rewards", "3"], "G_0^λ = 3  (return)"),
        (["--rewards", "sqrt(2)"], "G_0^λ = sqrt(2) ≈ 1.414213562  (return)"),
        (["--rewards", "0.886384871716129280658801"], "G_0^λ = 0.886384871716129280658801  (return)"),
        (["--rewards", "x"], "G_0^λ = x  (return)"),
        (["--rewards", "1/3", "--backends", "numpy"], "G_0^λ = 0.3333333333333333  (return)"),
        (["--rewards", "1/3", "--backends", "numpy", "--digits", "3"], "G_0^λ = 0.333  (return)"),
    ],
)
def test_an_answer_is_exact_and_decimal(words, line):
    assert line in run("lambda-return", *words, "--lam", "1")[1].splitlines()


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--decimal"], "2.625"),
        (["--digits", "2"], "2.6"),
        (["--decimal", "--digits", "4"], "2.625"),
        ([], "21/8"),
    ],
)
def test_quiet_decimals(words, answer):
    line = ["lambda-return", "--rewards", "1", "2", "5/2", "--lam", "1/2", "-q"]
    assert run(*line, *words)[1] == f"{answer}\n"


def test_our_own_minus_can_be_typed_back():
    out = run("lambda-return", "--rewards", "−1/8", "−1", "--lam", "−0", "-q")[1]
    assert out == "-1/8\n"


def test_a_matrix_is_a_table_with_names():
    words = ["policy-eval", "--mdp", "grid2x2", "--gamma", "0.9"]
    lines = run(*words)[1].splitlines()
    at = lines.index("V  (values), Q  (q_values)")
    # V is 90/161, 110/161, 110/161, 0: times 9/10 without a reward, 1 for entering the goal
    assert lines[at + 1].split() == ["S", "V", "Q(U)", "Q(D)", "Q(L)", "Q(R)"]
    assert lines[at + 3].split() == ["(0,1)", "110/161", "99/161", "1", "81/161", "99/161"]
    assert lines[at + 5].split() == ["(1,1)", "0", "0", "0", "0", "0"]
    assert "0.683230  0.614907  1         0.503106  0.614907" in run(*words, "--decimal")[1]


def test_a_table_that_is_too_wide_continues_below():
    columns = [Column(f"Q({k})", [Fraction(k, 7 * 10**12), Fraction(-k)]) for k in range(12)]
    made = arranged(
        ["s", "t"], [Column("V", [Fraction(1, 3), None], leads=True), *columns], "float64", View()
    )
    assert len(made.parts) == 3
    assert "6 digits" in made.remark
    lines = [line for part in made.parts for line in part]
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines] == ["V", "s", "t", "Q(5)", "s", "t", "Q(11)", "s", "t"]
    assert lines[2].split()[1] == "–"


def test_steps_in_short_and_none():
    line = ["lambda-return", "--rewards", *"1234567", "--lam", "1"]
    steps = {how: run(*line, *how.split())[1] for how in ("", "--steps none", "--steps short", "--all")}
    assert steps[""] == steps["--all"]
    assert "c_1 =" in steps[""]
    assert "c_7 = " not in steps["--steps none"]
    assert "… 6 more steps; --all shows them" in steps["--steps short"]
    assert "= 28  (return)" in steps["--steps none"]
    assert "--steps is none, short or all, not 'few'." in run(*line, "--steps", "few")[2]
    assert "--digits takes an integer from 1 to 1000" in run(*line, "--digits", "0")[2]
    # where it is an input, it stays one
    assert run("lambda-weights", "--lam", "1/2", "--steps", "2", "-q")[1] == "1/2 1/2\n"


def examples(head):
    return [[head.command, *shlex.split(example["args"])] for example in load_formula(head.name).examples]


@pytest.mark.parametrize("head", heads(), ids=lambda head: head.name)
def test_nothing_is_wider_than_the_page(terminal, monkeypatch, head):
    for words, width in product(examples(head), (60, 80)):
        monkeypatch.setenv("COLUMNS", str(width))
        shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal(*words, "--all")[1])
        # where no number is broken either, and only the steps behind a table are left out
        piped = run(*words, *(["--all"] if load_formula(words[0]).has_rows else []))[1]
        assert max(map(len, [*shown.splitlines(), *piped.splitlines()])) <= width, (words, width)
        assert set(piped.split()) == set(shown.split()), (words, width)


def test_symbols_say_what_was_skipped():
    code, out, err = run(*LINE[:-1], "l")
    assert code == 0
    assert "G_0^λ = 3·l² + 2·l + 1  (return)\n" in out
    assert "note: numpy was skipped: l left as a symbol." in err
    assert "NumPy" not in out


def test_notes_and_idle_options_go_to_standard_error():
    _, out, err = run(*LINE, "--alpha", "3/2", "--device", "cpu", "-q")
    assert out == "11/4\n"
    assert "note: A step size above 1" in err
    assert "note: --device had no effect" in err


def test_backends_and_dtypes():
    _, out, _ = run(*LINE, "--backends", "numpy")
    assert "G_0^λ = 2.75  (return)\n" in out
    assert out.endswith("Computed by NumPy in float64; nothing to compare with.\n")
    words = ["lambda-return", "--rewards", "0.1", "--lam", "1", "--dtype=float32"]
    assert "NumPy agrees in float32: 0.1 (" in run(*words, "--backends", "sympy,numpy")[1]
    assert run(*LINE, "--backends", "sympy", "--dtype", "float32", "-q")[1] == "11/4\n"


def test_torch_agrees():
    pytest.importorskip("torch")
    code, out, _ = run(*LINE, "--backends", "sympy", "torch", "--device", "cpu")
    assert code == 0
    assert "Torch agrees: 2.75" in out


# the other forms


def test_quiet_vectors_can_be_pasted_back():
    _, out, _ = run("lambda-weights", "--lam", "l", "--steps", "3", "-q")
    words = out.split()
    assert len(words) == 3
    code, again, _ = run("lambda-return", "--rewards", *words, "--lam", "0", "-q")
    assert (code, again.replace(" ", "").strip()) == (0, words[0])


@pytest.mark.parametrize("form", [[], ["-q"], ["--json"]])
def test_where_no_backend_can_run_it_is_an_error(form):
    many = [str(k) for k in range(129)]
    code, out, err = run("discounted-return", "--rewards", *many, "--gamma", "g", *form)
    assert (code, out) == (2, "")
    assert "129 entries are more than the 128" in err
    assert "g left as a symbol" in err


def test_several_symbols_are_multiplied_out_for_shorter_episodes_only():
    rewards = [str(k) for k in range(41)]
    line = ["lambda-return", "--rewards", *rewards, "--lam", "l", "-q"]
    assert run(*line)[0] == 0
    code, _, err = run(*line, "--gamma", "g")
    assert code == 2
    assert "41 entries are more than the 40" in err


def test_quiet_without_an_exact_answer():
    words = ["lambda-return", "--rewards", "0.1", "0.2", "--lam", "1", "-q", "--backends", "numpy"]
    assert run(*words)[1] == "0.30000000000000004\n"


def test_an_overflow_is_no_agreement_of_digits():
    out = run("td-error", "--reward", "1e308", "--value", "-1e308", "--next-value", "0", "--gamma", "1")[1]
    assert "NumPy gives inf: the answer is beyond the range of float64." in out
    assert "agrees" not in out


def test_what_does_not_exist_is_said_in_words():
    out = run("control-variate", "--x", "1", "2", "--b", "3", "3", "--k", "1")[1]
    assert "k* is undefined  (best_k)" in out
    assert "nan" not in out


def test_json_contract():
    code, out, err = run(*LINE, "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    keys = ["schema", "version", "formula", "inputs", "outputs", "agree", "steps", "notes"]
    assert list(document) == keys
    assert document["schema"] == "rlcalc-result-1"
    assert document["formula"] == "lambda_return"
    assert document["inputs"]["rewards"] == ["1", "2", "3"]
    assert document["inputs"]["lam"] == "1/2"
    assert next(iter(document["outputs"])) == "return"
    assert document["outputs"]["return"] == {
        "exact": "11/4",
        "decimal": "2.7500000000000000000",
        "numpy": 2.75,
        "torch": None,
    }
    assert document["outputs"]["returns"]["exact"] == ["11/4", "7/2", "3"]
    assert document["outputs"]["weights"]["numpy"] is None
    assert document["agree"] is True
    assert set(document["steps"][0]) >= {"text", "latex"}
    assert document["notes"] == []


def test_json_keeps_to_its_schema():
    from jsonschema import Draft202012Validator

    from rlcalc.data import data_folder

    schema = json.loads((data_folder("specs") / "schemas" / "result.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    check = Draft202012Validator(schema)
    for words in [*chain.from_iterable(map(examples, heads())), [*LINE, "--backends", "numpy"]]:
        document = json.loads(run(*words, "--json")[1])
        assert list(check.iter_errors(document)) == [], words
    assert list(check.iter_errors({**document, "extra": 1}))


def test_a_program_gets_the_stable_code_of_a_mistake():
    code, out, err = run("discounted-return", "--rewards", "1", "--gamma", "11/10", "--json")
    assert (code, out) == (2, "")
    assert err.startswith("error: --gamma must be in [0, 1], not 11/10.\n")
    error = json.loads(err.splitlines()[-1])["error"]
    assert error["code"] == "gamma_out_of_range"
    assert error["message"] == "--gamma must be in [0, 1], not 11/10."
    assert set(error) == {"code", "message", "hint"}


def test_json_with_symbols_and_words():
    _, out, _ = run(*LINE[:-1], "l", "--json")
    document = json.loads(out)
    assert document["agree"] is None
    assert document["outputs"]["return"] == {
        "exact": "3*l**2 + 2*l + 1", "decimal": None, "numpy": None, "torch": None,
    }  # fmt: skip
    assert any("skipped" in note for note in document["notes"])
    _, out, _ = run("ppo-clip", "--ratio", "1.5", "--adv", "5", "--json")
    assert json.loads(out)["outputs"]["active"]["exact"] == "clipped"


def test_json_has_no_infinity():
    def refuse(text):
        raise AssertionError(text)

    for words, exact in (
        (["lambda-return", "--rewards", "1e200", "1e308", "1e308", "--lam", "1"], None),
        (["kl", "--p", "1/2", "1/2", "--q", "1", "0"], "infinity"),
    ):
        code, out, _ = run(*words, "--json")
        answer = next(iter(json.loads(out, parse_constant=refuse)["outputs"].values()))
        assert answer["exact"] == exact if exact else code == 1 or answer["numpy"] is None


def test_latex():
    _, out, _ = run(*LINE, "--latex")
    # a block that breaks across pages
    assert out.startswith("{\\allowdisplaybreaks\n\\begin{align*}\n")
    assert out.endswith("\\end{align*}}\n")
    assert "\\frac{11}{4}" in out


def test_a_disagreement_exits_with_1(monkeypatch):
    import rlcalc.formulas.lambda_return as forms

    right = forms.array_form
    monkeypatch.setattr(
        forms,
        "array_form",
        lambda xp, a: {k: None if v is None else v + 1 for k, v in right(xp, a).items()},
    )
    code, out, err = run(*LINE)
    assert code == 1
    assert "NumPy DISAGREES: 3.75" in out
    assert err.startswith("error: NumPy does not agree with the exact answer on ")
    code, out, _ = run(*LINE, "--json")
    assert code == 1
    assert json.loads(out)["agree"] is False


# terminals and pipes


def test_colour_only_at_a_terminal(terminal):
    code, out, _ = terminal(*LINE)
    assert code == 0
    assert "\x1b[" in out
    assert "\x1b[" not in run(*LINE)[1]


def test_markup_at_a_terminal(terminal):
    _, _, err = terminal("lambda-return", "--rewards", "[bold]", "--lam", "[/x]")
    assert "[bold]" in err
    _, _, err = terminal("[/x]")
    assert "[/x]" in err


def test_long_vectors_are_shortened_at_a_terminal_only(terminal):
    words = ["lambda-return", "--rewards", *["1"] * 40, "--lam", "1", "--backends", "numpy"]
    out = re.sub(r"\x1b\[[0-9;]*m", "", terminal(*words)[1])
    assert "G_t^λ = [40, 39, 38, 37, …, 2, 1] (40 entries; --all prints them)" in out
    piped = run(*words)[1]
    assert "…, 2, 1]" not in piped
    assert "G_t^λ = [40, 39, 38, 37, 36, " in piped


def test_a_fault_of_our_own(monkeypatch):
    import rlcalc.evaluation

    def broken(*_args, **_more):
        raise ZeroDivisionError("[bold] oops")

    monkeypatch.setattr(rlcalc.evaluation, "evaluate", broken)
    monkeypatch.delenv("RLCALC_TRACEBACK", raising=False)
    code, out, err = run(*LINE)
    assert (code, out) == (CRASHED, "")
    assert "ZeroDivisionError: [bold] oops" in err
    assert "RLCALC_TRACEBACK=1" in err
    monkeypatch.setenv("RLCALC_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(list(LINE))


@pytest.mark.parametrize("words", [["verify", "x" * 5000], [*LINE, "--plot", "x" * 5000 + ".png"]])
def test_a_name_that_no_file_can_have(words):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.count("error:") == 1
    assert "too long" in err
