"""Files, nested lists, records and JUnit: what every room stands on."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import pytest

from rlcalc import files, nested
from rlcalc.conform.binding.model import read_binding
from rlcalc.conform.project import read_project
from rlcalc.data import parse_toml, read_toml
from rlcalc.errors import DataError, InputError, RlcalcError, shown
from rlcalc.junit import Entry, write_junit
from rlcalc.mdp.reading import read_mdp
from rlcalc.records import Place, read_record
from tests.refused import refused

posix = pytest.mark.skipif(sys.platform == "win32", reason="pipes and links of POSIX")


def test_a_regular_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(TypeError), files.replacing(path) as file:
        file.write("text where bytes are due")  # type: ignore[arg-type]
    assert path.read_text() == "old"
    files.write_text(path, "new")
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


@posix
def test_a_link_keeps_being_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    files.write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@posix
def test_a_pipe_is_written_through(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    files.write_text(pipe, "x" * 200_000)
    reader.join(10)
    assert heard == [b"x" * 200_000]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@posix
def test_reading_is_bounded_by_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with refused(DataError, "file_unreadable", "nothing came through"):
        files.read_bytes(tmp_path / "pipe", 10)
    with refused(DataError, "file_too_long", "larger than 1000"):
        files.read_bytes(tmp_path / "zero", 1000)


@pytest.mark.parametrize("name", ["no/such/folder.txt", "."])
def test_a_target_is_checked_before_the_work(tmp_path: Path, name: str) -> None:
    with refused(InputError, "file_not_written"):
        files.check_target(tmp_path / name)


def test_nested_lists() -> None:
    value = [[1, 2, 3], [4, 5, 6]]
    assert nested.shape(value) == (2, 3)
    assert nested.fold(nested.flatten(value), (2, 3)) == value
    assert nested.map_nested(lambda a, b: a - b, value, value) == [[0, 0, 0], [0, 0, 0]]
    assert nested.outline([1, [2]]) == nested.outline([3, [4]]) != nested.outline([[1], 2])
    assert nested.shape([]) == (0,)
    with pytest.raises(ValueError, match="ragged"):
        nested.shape([[1], [1, 2]])


@dataclass(frozen=True)
class Inner:
    kind: Literal["edge", "basic"]


@dataclass(frozen=True)
class Outer:
    name: str
    number: int
    from_: str = ""
    inner: Mapping[str, Inner] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    either: str | int | None = None
    code: str = field(
        default="", metadata={"check": lambda text: "" if text.islower() else "not lower case."}
    )


RIGHT: dict[str, Any] = {"name": "a", "number": 1}


def test_a_record_is_read() -> None:
    raw = {**RIGHT, "from": "here", "inner": {"x": {"kind": "edge"}}, "words": ["a", "b"], "either": 3}
    found = read_record(Outer, raw, Place("f.toml"))
    assert found == Outer("a", 1, "here", {"x": Inner("edge")}, ("a", "b"), 3)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({**RIGHT, "wrods": []}, "f.toml: unknown key 'wrods'. Did you mean words?"),
        ({"name": "a"}, "f.toml: missing key 'number'."),
        ({**RIGHT, "number": True}, "f.toml: number: expected an integer, not 'True'."),
        ({**RIGHT, "number": 1.5}, "f.toml: number: expected an integer, not '1.5'."),
        ({**RIGHT, "name": "  "}, "f.toml: name: expected a text, not an empty one."),
        ({**RIGHT, "inner": {"x": {"kind": "egde"}}}, "f.toml: inner: x: kind: expected one of edge, basic"),
        ({**RIGHT, "inner": {"x": 3}}, "f.toml: inner: x: expected a table, not '3'."),
        ({**RIGHT, "words": ["a", ["b"]]}, "f.toml: words: entry 2: expected a text"),
        ({**RIGHT, "either": [1]}, "f.toml: either: expected a text"),
        ({**RIGHT, "code": "ABC"}, "f.toml: code: not lower case."),
        ([], "f.toml: expected a table"),
    ],
)
def test_a_record_is_refused_by_name(raw: Any, words: str) -> None:
    with pytest.raises(DataError) as found:
        read_record(Outer, raw, Place("f.toml"))
    assert str(found.value).startswith(words)


def test_junit_holds_any_text(tmp_path: Path) -> None:
    path = tmp_path / "out.xml"
    text = "a\ufffe\uffff\x00\x1b[31m<&>]]>"
    write_junit(
        path,
        text,
        [Entry("ok", "c"), Entry(text, text, failure=text), Entry("s", "c", skipped="no")],
    )
    suite = ElementTree.parse(path).getroot()[0]
    assert [suite.get(key) for key in ("tests", "failures", "errors", "skipped")] == ["3", "1", "0", "1"]
    assert suite[1][0].text == "a" + 3 * "\ufffd" + "\ufffd[31m<&>]]>"


def test_a_number_that_python_does_not_print_can_be_refused() -> None:
    assert shown(10**5000) == shown([10**5000]) == "'a number of more than 4300 digits'"


@pytest.mark.parametrize(
    "value", ["0x" + "f" * 5000, "9" * 5000, "[" * 100 + "]" * 100, "[" * 5000 + "]" * 5000]
)
@pytest.mark.parametrize("read", [read_toml, read_mdp, read_binding, read_project])
def test_every_reader_of_toml_refuses_what_cannot_be_printed_or_walked_through(
    tmp_path: Path, read: Any, value: str
) -> None:
    path = tmp_path / "x.toml"
    path.write_text(f"terminal = [{value}]\n", "utf-8")
    with pytest.raises(RlcalcError, match="is not valid TOML"):
        read(path)
    with pytest.raises(ValueError, match=r"4000 digits|4300 digits|nested more than 64"):
        parse_toml(path.read_text("utf-8"))
