"""Words as typed: what is a value, what is an option, what is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rlcalc.cli import main
from rlcalc.cli.argv import is_value, parse, split_commas
from rlcalc.errors import InputError, UnknownName
from tests.command import LINE, run
from tests.refused import refused

OPTIONS = {
    "--rewards": "many",
    "--lam": "one",
    "--terminal": "nothing",
    "--extra": "any",
    "--quiet": "nothing",
}
SHORTS = {"-q": "--quiet"}


@pytest.mark.parametrize(
    "word",
    ["1", "-1", "-3/4", "-.5", "-1e-3", "-sqrt(2)", "-(1+2)", "-l", "-l1", "-l*2", "-alpha", "-pi", "--5",
     "-", "x", "", "-inf", "-nan", "-foo(1)", "−1"],
)  # fmt: skip
def test_values(word):
    assert is_value(word, OPTIONS, SHORTS)


@pytest.mark.parametrize(
    "word", ["-q", "-h", "--help", "--rewards", "--reward", "-lam", "-rewards", "-foo", "--", "--=1", "-l-am"]
)
def test_options(word):
    assert not is_value(word, OPTIONS, SHORTS)


def test_spaces_commas_and_repeats_are_the_same():
    assert parse(["--rewards", "-1", "2", "--rewards", "3", "--lam=1"], OPTIONS, SHORTS) == {
        "--rewards": ["-1", "2", "3"],
        "--lam": ["1"],
    }


def test_an_empty_list_where_one_is_allowed():
    assert parse(["--extra", "-q"], OPTIONS, SHORTS) == {"--extra": [], "--quiet": []}


@pytest.mark.parametrize("typed", [["--random", "-3"], ["--random=-3"], ["--seed", "many"], ["--limit", "x"]])
def test_what_an_option_refuses_is_repeated(typed, capsys):
    assert main(["conform", "a.py:f", *typed]) == 2
    assert f"'{' '.join(typed).replace('=', ' ').split()[1]}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--reward", "1"], "unknown_option"),
        (["-lam", "1"], "unknown_option"),
        (["--rew", "1"], "unknown_option"),
        (["--", "1"], "unknown_option"),
        (["1"], "stray_word"),
        (["--lam", "1", "2"], "stray_word"),
        (["--terminal", "1"], "stray_word"),
        (["--lam", "1", "--lam", "1"], "option_twice"),
        (["--rewards"], "option_empty"),
        (["--rewards", "--lam", "1"], "option_empty"),
        (["--rewards", "1", "--rewards"], "option_empty"),
        (["--lam"], "option_empty"),
        (["--terminal=1"], "option_takes_nothing"),
    ],
)
def test_refusals(words, code):
    with refused(InputError, code):
        parse(words, OPTIONS, SHORTS)


def test_suggestions():
    with pytest.raises(UnknownName) as caught:
        parse(["--reward", "1"], OPTIONS, SHORTS)
    assert caught.value.hint == "Did you mean --rewards?"
    with pytest.raises(UnknownName) as caught:
        parse(["--rewards", "1", "-lam"], OPTIONS, SHORTS)
    assert "--rewards=-lam" in caught.value.hint
    with pytest.raises(InputError) as caught:
        parse(["rewards", "1"], OPTIONS, SHORTS)
    assert caught.value.hint == "Did you mean --rewards?"


@pytest.mark.parametrize(
    ("text", "parts"),
    [("1", ["1"]), ("1,2", ["1", "2"]), ("1,", ["1"]), (",1", ["1"]), (",", []),
     ("max(1,2),3", ["max(1,2)", "3"]), ("1,,2", ["1", "", "2"]), ("", [""]), ("1, 2", ["1", "2"])],
)  # fmt: skip
def test_commas(text, parts):
    assert split_commas(text) == parts


@pytest.mark.parametrize(
    ("rewards", "answer"),
    [
        (["--rewards", "1", "2", "3"], "11/4"),
        (["--rewards", "1,2,3"], "11/4"),
        (["--rewards=1,2,3"], "11/4"),
        (["--rewards", "1,", "2,", "3"], "11/4"),
        (["--rewards", "1", ",", "2", "3"], "11/4"),
        (["--rewards", "1", "--rewards", "2", "--rewards=3"], "11/4"),
        (["--rewards", "1", "--rewards", "2", "3"], "11/4"),
        (["--rewards", "-1", "2", "-3/4", "-1e-3", "-sqrt(2)"], "-1501/8000 - sqrt(2)/16"),
        (["--rewards", "-x"], "-x"),
    ],
)
def test_all_ways_of_writing_a_list(rewards, answer):
    assert run("lambda-return", *rewards, "--lam", "0.5", "-q")[:2] == (0, f"{answer}\n")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["lamda-return"], "Unknown command 'lamda-return'.", "Did you mean lambda-return?"),
        (["show", "ppo-clpi"], "There is no formula 'ppo-clpi'.", "Did you mean ppo-clip?"),
        (["show"], "None was named", "rlcalc show"),
        ([*LINE, "--backends", "nump"], "There is no backend 'nump'.", "Did you mean numpy?"),
        ([*LINE, "--dtype", "float63"], "There is no dtype 'float63'", "Did you mean float64?"),
        ([*LINE, "--json", "-q"], "--quiet and --json do not go together.", ""),
        ([*LINE, "--rewards"], "--rewards has nothing after it", ""),
        (["lambda-return", "--rewards", "1,,2", "--lam", "1"], "nothing between two commas", ""),
        (["lambda-return", "--rewards", ",", "--lam", "1"], "--rewards has nothing after it", ""),
        (["lambda-return", "--lam", "1"], "--rewards is missing", "For example"),
        (["lambda-return", "--rewards", "1", "--lam", "2"], "--lam must be in [0, 1], not 2.", ""),
        (
            ["td-update", "--value", "1", "--target", "2", "--plot", "x.png"],
            "Unknown option '--plot'.",
            "draws no picture",
        ),
        (["--rewards", "1"], "Unknown option '--rewards'.", "--version"),
        (["list", "--jsn"], "Unknown option '--jsn'.", "Did you mean --json?"),
        (["mdp", "--jsn"], "Unknown option '--jsn'.", "No option here; -h shows the commands."),
        ([*LINE, "--jsn"], "Unknown option '--jsn'.", "Did you mean --json?"),
        (["list", "1"], "Unexpected argument '1'", ""),
        (["golden", "certfy"], "Unknown command 'certfy'.", "Did you mean certify?"),
        (["golden"], "Missing command.", "rlcalc golden -h"),
    ],
)
def test_errors_look_alike(words, message, hint):
    code, out, err = run(*words)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert hint in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("typed", "marked"),
    [("2..3", True), ("1+foo(2", True), ("3 + 4)", True), ("2*(1,", True), ("x" * 80 + "!", False)],
)
def test_a_mark_below_the_wrong_character(typed, marked):
    _, _, err = run("ppo-clip", "--ratio", typed, "--adv", "1")
    lines = err.splitlines()
    assert any(line.strip() == "^" for line in lines) is marked
    if marked:
        at = lines.index(f"    {typed}")
        assert lines[at + 1].strip() == "^"
        assert lines[at + 1].index("^") == 4 + int(re.search(r"at character (\d+)", err)[1]) - 1


def test_control_characters_are_shown_not_sent():
    _, _, err = run("lambda-return", "--rewards", "\x1b[31m", "--lam", "1")
    assert "\x1b" not in err
    assert "\\x1b[31m" in err


WORDS = st.one_of(
    st.sampled_from(
        [
            "lambda-return", "list", "show", "ppo-clip", "--rewards", "--lam", "--lam=1", "--json", "-q",
            "--latex", "-h", "--help", "--version", "--ratio", "--adv", "1", "2", "-1", "1/0", "l", "-l",
            "0.5", "--values", "@", "--", "-", "--backends", "numpy", "sympy", "--dtype", "float32",
            "[bold]", "[/x]", "--terminal", "1,2", "--truncated", "--gamma", "inf", "nan", "10**10**10",
            "((((", "--=", "=", "", " ", "@nofile", "--alpha",
        ]
    ),
    st.text(max_size=8).filter(lambda text: not text.startswith("@")),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([[], ["lambda-return"], LINE, ["ppo-clip", "--ratio", "1.5"], ["show"]]),
    st.lists(WORDS, max_size=6),
)
@example([], ["\ud800"])
@example(["lambda-return"], ["--rewards", "\x00", "--lam", "1"])
def test_no_argv_gives_a_traceback(start, more):
    code, _, err = run(*start, *more)
    assert code in (0, 1, 2), err
    assert "Traceback" not in err
    assert code == 0 or err.startswith(("error: ", "note: "))
