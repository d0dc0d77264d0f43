"""Values from files and from standard input."""

from __future__ import annotations

import io
import json

import pytest

from tests.command import run

CSV = "step,reward,note\n1,1,a b\n2,2,b\n\n3,3,c\n"


def answer(rewards, *more):
    words = rewards if isinstance(rewards, list) else [rewards]
    code, out, err = run("lambda-return", "--rewards", *words, "--lam", "1/2", "-q", *more)
    return code, out.strip(), err


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "1\n2\n3\n",
        "1 2 3",
        "1,2,3",
        "1, 2,\n3\n",
        "\ufeff1\r\n2\r\n3\r\n",
        "max(1, 0) 2\n1+2\n",
        "6/6\t2 3",
        "[1, 2, 3]\n",
        "[1 2\n 3]",
    ],
)
def test_plain_files(folder, text):
    (folder / "r.txt").write_text(text, "utf-8", newline="")
    assert answer("@r.txt") == (0, "11/4", "")


def test_a_file_among_other_values(folder):
    (folder / "r.txt").write_text("2 3")
    assert answer(["1", "@r.txt"]) == (0, "11/4", "")


def test_a_scalar_from_a_file(folder):
    (folder / "l.txt").write_text("0.5\n")
    assert run("lambda-return", "--rewards", "1", "2", "3", "--lam", "@l.txt", "-q")[:2] == (0, "11/4\n")
    (folder / "l.txt").write_text("0.5 0.6\n")
    err = run("lambda-return", "--rewards", "1", "--lam", "@l.txt")[2]
    assert "takes one value, and the file holds 2" in err


def test_csv_columns(folder):
    (folder / "t.csv").write_text(CSV)
    assert answer("@t.csv:reward") == (0, "11/4", "")
    (folder / "t.tsv").write_text(CSV.replace(",", "\t"))
    assert answer("@t.tsv:reward") == (0, "11/4", "")
    (folder / "q.csv").write_text('a,"my, reward"\n1,1\n1,"2"\n1,3\n')
    assert answer("@q.csv:my, reward") == (0, "11/4", "")


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("1 2\n3\n"))
    assert answer("@-") == (0, "11/4", "")
    monkeypatch.setattr("sys.stdin", io.StringIO("1 2\n3\n"))
    code, _, err = answer(["@-", "@-"])
    assert code == 2
    assert "standard input can be read once" in err


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("@", ["without a file name", "@table.csv:column"]),
        ("@none.txt", ["none.txt cannot be read", "No such file"]),
        ("@.", ["cannot be read"]),
        ("@t.csv:rewrd", ["t.csv has no column 'rewrd'", "Did you mean reward?"]),
        ("@t.csv:zzz", ["Its columns are 'step', 'reward', 'note'"]),
        ("@t.csv:note", ["t.csv, line 2", "'a b'"]),
        ("@t.csv", ["t.csv, line 1", "'step'", "@t.csv:COLUMN"]),
        ("@bad.txt", ["bad.txt, line 3", "'1..2'"]),
        ("@short.csv:b", ["short.csv, line 3", "no cell"]),
        ("@hole.csv:b", ["hole.csv, line 3", "''"]),
        ("@thousands.csv:a", ["thousands.csv, line 2", "2 cells under 1 name"]),
        ("@twice.csv:a", ["more than one column 'a'"]),
        ("@empty.txt", ["no values in 'empty.txt'"]),
        ("@empty.csv:a", ["has no column 'a'"]),
        ("@latin.txt", ["not UTF-8"]),
        ("@quote.csv:a", ["quote.csv, line"]),
        ("@\x00", ["cannot be read"]),
        ("@hole.txt", ["hole.txt, line 2", "nothing between two commas"]),
        ("@call.txt", ["call.txt, line 1", "nothing between two commas"]),
        ("@zeros.bin", ["'zeros.bin' cannot be read", "not text"]),
    ],
)
def test_bad_files(folder, word, parts):
    (folder / "t.csv").write_text(CSV)
    (folder / "bad.txt").write_text("1\n2\n1..2\n")
    (folder / "short.csv").write_text("a,b\n1,2\n3\n")
    (folder / "hole.txt").write_text("1\n2,,3\n")
    (folder / "call.txt").write_text("max(1,2),,3\n")
    (folder / "hole.csv").write_text("a,b\n1,2\n3,\n")
    (folder / "thousands.csv").write_text("a\n1,000\n")  # was read as 1
    (folder / "twice.csv").write_text("a,a\n1,2\n")
    (folder / "empty.txt").write_text("\n")
    (folder / "empty.csv").write_text("")
    (folder / "latin.txt").write_bytes(b"1 \xe9 2")
    (folder / "quote.csv").write_text('a\n"1\n')
    (folder / "zeros.bin").write_bytes(bytes(9))
    code, out, err = answer(word)
    assert (code, out) == (2, "")
    for part in parts:
        assert part in err


def test_a_file_without_end_is_given_up(monkeypatch):
    class Endless(io.StringIO):
        def read(self, size: int | None = -1, /) -> str:
            assert size is not None
            assert 0 < size < 10**7  # an endless file must never be read whole
            return "1 " * (size // 2)

    monkeypatch.setattr("rlcalc.cli.input_files.MAX_FILE", 10**7)
    monkeypatch.setattr("sys.stdin", Endless())
    code, out, err = answer("@-")
    assert (code, out) == (2, "")
    assert "more than 10,000,000 characters" in err


def test_flags_from_a_file(folder):
    (folder / "f.txt").write_text("0 1 no\n")
    assert answer(["1", "2", "3"], "--terminated", "@f.txt")[0] == 0
    (folder / "done.csv").write_text("done,\n0.0,\n1.0,\n0,\n")  # as tables of floats spell them
    assert answer(["1", "2", "3"], "--terminated", "@done.csv:done")[1] == "2"  # 1 + 1/2·2
    (folder / "f.txt").write_text("0\n2\n0\n")
    code, _, err = answer(["1", "2", "3"], "--terminated", "@f.txt")
    assert code == 2
    assert "f.txt, line 2: '2'" in err


def test_words_that_begin_with_the_sign():
    from rlcalc.cli.input_files import Reader
    from rlcalc.specs import Parameter

    words = Parameter("w", "word", "", shape=("T",))
    assert Reader(False).expand(words, ["@@me", "a,b", ",", "[bold]"]) == ["@me", "a", "b", ",", "[bold]"]
    matrix = Parameter("m", "number", "", shape=("S", "A"))
    assert Reader(False).expand(matrix, ["1,2;", "3", "4"]) == ["1,2;", "3", "4"]


def test_a_matrix_from_a_file(folder):
    from rlcalc.cli.input_files import Reader
    from rlcalc.specs import Parameter

    (folder / "m.txt").write_text("1 2\n\n3,4\n")
    matrix = Parameter("m", "number", "", shape=("S", "A"))
    assert Reader(False).expand(matrix, ["@m.txt"]) == ["1 2", ";", "3,4", ";"]


def test_many_rewards(folder):
    (folder / "r.txt").write_text("\n".join(["0.5"] * 20000))
    code, out, err = answer("@r.txt")
    assert (code, out) == (0, "1.0")
    assert "exact backend was skipped" in err
    words = ["lambda-return", "--rewards", "@r.txt", "--lam", "1/2"]
    document = json.loads(run(*words, "--json")[1])
    assert len(document["outputs"]["returns"]["numpy"]) == 20000
    assert document["outputs"]["return"] == {"exact": None, "decimal": None, "numpy": 1.0, "torch": None}
    assert document["steps"] == []
    assert "no steps to print" in run(*words, "--latex")[2]


def test_a_list_pasted_from_a_notebook():
    for rewards in (
        ["[1,", "2,", "3]"],
        ["[1, 2, 3]"],
        ["[1", "2", "3]"],
        ["[1,2,3]"],
        ["[1,max(2,", "1),3]"],
    ):
        assert answer(rewards) == (0, "11/4", "")
    rows = ["[[0,", "0,", "0],", "[0,", "0,", "0]]"]
    line = ["policy-gradient", "--mdp", "tokens", "--horizon", "2", "-q", "--theta"]
    assert run(*line, *rows) == run(*line, "0", "0", "0", ";", "0", "0", "0")
    assert answer(["[bold]"])[0] == 2


def test_a_pipe_that_nobody_writes_to(folder, monkeypatch):
    import os

    monkeypatch.setattr("rlcalc.files.PATIENCE", 0.1)
    os.mkfifo("pipe")
    code, _, err = answer("@pipe")
    assert code == 2
    assert "pipe cannot be read" in err


def test_too_many_values(folder, monkeypatch):
    monkeypatch.setattr("rlcalc.cli.input_files.MAX_ENTRIES", 3)
    (folder / "r.txt").write_text("1 2 3 4")
    code, _, err = answer("@r.txt")
    assert code == 2
    assert "'r.txt' holds more than 3 values" in err
