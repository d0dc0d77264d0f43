"""What another system lacks, taken away here: alarms, process groups, a UTF-8 console, slashes in paths."""

from __future__ import annotations

import io
import signal
from pathlib import PureWindowsPath

import pytest

from rlcalc.cli import streams
from rlcalc.cli.pages import quoted
from rlcalc.conform import check
from rlcalc.conform.target.base import Target
from rlcalc.time_limit import limited


def test_without_an_alarm_code_runs_without_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "setitimer")
    with limited(1e-9):
        total = sum(range(10_000))
    assert total == 49_995_000


def test_without_process_groups_a_function_is_called_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    class Elsewhere:
        """``os`` of Windows, as far as it is asked for here."""

        name = "nt"

    monkeypatch.setattr(check, "os", Elsewhere)
    found = check.load(check.Request("math:exp", "softmax"))
    assert type(found) is Target


def test_a_console_of_windows_is_asked_for_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="cp1252")
    monkeypatch.delenv("PYTHONIOENCODING", raising=False)
    with monkeypatch.context() as windows:
        windows.setattr(streams.os, "name", "nt")
        streams._encode_anything(stream)
    stream.write("λ-return")
    stream.flush()
    assert written.getvalue().decode("utf-8") == "λ-return"


def test_a_path_with_a_drive_is_quoted_for_every_shell() -> None:
    path = str(PureWindowsPath("C:/my files/rewards.txt"))
    assert quoted(path).strip("\"'") == path
