"""Streams as they really are: closed, full, cut short, unbuffered, in an old encoding."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from rlcalc.cli import streams
from rlcalc.cli.screen import json_text, visible, wants_colour, write_json
from tests.command import run
from tests.sweep import sweep

RLCALC = f'"{sys.executable}" -m rlcalc'
LINE = "lambda-return --rewards 1 2 3 --lam 0.5"
LONG = "discounted-return --rewards $(seq 30000) --gamma 1 --json --backends numpy"
UNBUFFERED = "export PYTHONUNBUFFERED=1;"


def shell(script, **env):
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, check=False, timeout=60, env={**os.environ, **env}
    )
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "backslashreplace")


@pytest.mark.parametrize(
    ("script", "code", "said"),
    sweep(
        [
            (f"{RLCALC} {LINE} >&-", 2, "Standard output is closed."),
            (f"{RLCALC} --version >&-", 2, "Standard output is closed."),
            (f"{RLCALC} --version >/dev/full", 2, "No space left"),
            (f"{RLCALC} list >/dev/full", 2, "No space left"),
            (f"{RLCALC} {LINE} >/dev/full", 2, "No space left"),
            (f"{RLCALC} {LONG} >/dev/full", 2, "No space left"),
            (f"{RLCALC} lambda-return --typo 2>&-", 2, ""),
            (f"{RLCALC} lambda-return --typo 2>/dev/full", 2, ""),
            (f"{RLCALC} lambda-return --lam 1 --rewards @- <&-", 2, "standard input is closed"),
            (f"{RLCALC} {LONG} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}", 141, ""),
            (f"{UNBUFFERED} {RLCALC} {LONG} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}", 141, ""),
            (f"{UNBUFFERED} {RLCALC} {LONG} >/dev/full", 2, "No space left"),
            (f"{UNBUFFERED} {RLCALC} --version >/dev/full", 2, "No space left"),
            (f"_RLCALC_COMPLETE=complete_bash {RLCALC}", 2, "COMP_WORDS"),
            (f"_RLCALC_COMPLETE=nonsense {RLCALC}", 2, ""),
        ],
        4,
    ),
)
def test_exit_codes(script, code, said):
    found, _, err = shell(script)
    assert found == code, err
    assert said in err
    assert err.count("error:") <= 1
    assert "Traceback" not in err
    assert "Exception ignored" not in err


def test_a_short_write_is_finished_or_an_error():
    """A bare file may take a part of a text; the text layer would not notice."""

    class Slow(io.RawIOBase):
        def __init__(self, room):
            self.taken, self.room = b"", room

        def writable(self):
            return True

        def write(self, data):
            if len(self.taken) >= self.room:
                raise OSError(28, "No space left on device")
            part = bytes(data[:7])
            self.taken += part
            return len(part)

    class Text(io.TextIOWrapper):
        pass

    for room, whole in ((10**6, True), (100, False)):
        raw = Slow(room)
        stream = streams._whole_writes(Text(raw, "utf-8", write_through=True))  # type: ignore[type-var]
        try:
            stream.write("x" * 1000 + "\n")
            stream.flush()
        except OSError:
            assert not whole
        else:
            assert whole
            assert raw.taken == b"x" * 1000 + b"\n"
        raw.room = 10**6  # what is left is written at the end


@pytest.mark.parametrize("encoding", sweep(["ascii", "latin-1", "cp1252"], 1))
def test_json_is_json_in_every_encoding(encoding):
    words = "token-mdp --prompt 'é\\u0085' --tokens 🎲 b --json"
    code, out, _ = shell(f"{RLCALC} {words} | cat; exit ${{PIPESTATUS[0]}}", PYTHONIOENCODING=encoding)
    assert code == 0
    assert json.loads(out.decode(encoding))["outputs"]["actions"]["exact"] == ["🎲", "b"]
    code, _, err = shell(f"{RLCALC} gae --rewards · --json", PYTHONIOENCODING=encoding)
    assert code == 2
    assert "·" in json.loads(err.splitlines()[-1])["error"]["message"]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_old_terminal_gets_letters_spelled(encoding):
    code, out, _ = shell(f"{RLCALC} {LINE} --gamma 1/2", PYTHONIOENCODING=encoding)
    text = out.decode(encoding)
    assert code == 0
    assert "\\" not in text
    # of these signs cp1252 has · and ²
    assert "= R_1 + gamma*V(S_1) = " in text.replace("·", "*")
    assert "gamma^2*R_3" in text.replace("·", "*").replace("²", "^2")
    assert "G_t^lambda = (1 - lambda) sum_{n=1}^{N-1}" in text


def test_how_letters_are_spelled():
    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    streams._encode_anything(stream)
    stream.write("λ² γⁿ⁻¹ Δθ₂ Ω − ≈ ∞ é 🎲")
    stream.flush()
    assert stream.buffer.getvalue() == rb"lambda^2 gamma^n-1 Deltatheta_2 Omega - ~ infinity \xe9 \U0001f3b2"


def test_control_characters_never_reach_a_terminal():
    wild = "\x1b[31m\x85\x9b1m\u2028\ud800\x7f"
    assert not any(char in visible(wild) for char in wild if char not in "[31m")
    text = json_text({"a": wild})
    assert not any(char in text for char in "\x1b\x85\x9b\u2028\ud800\x7f")
    assert json.loads(text) == {"a": wild}
    for encoding in ("utf-8", "ascii", "latin-1"):
        stream = io.TextIOWrapper(io.BytesIO(), encoding)
        write_json({"a": [wild, 1], "b": [[1, 2], [3]]}, stream)
        stream.seek(0)
        assert json.loads(stream.read()) == {"a": [wild, 1], "b": [[1, 2], [3]]}


@pytest.mark.parametrize(
    ("variables", "terminal", "colour"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_when_to_colour(monkeypatch, variables, terminal, colour):
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wants_colour(terminal) is colour


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (BrokenPipeError, 141)])
def test_interrupts_and_pipes(monkeypatch, error, code):
    import rlcalc.evaluation

    def stop(*_args, **_more):
        raise error

    monkeypatch.setattr(rlcalc.evaluation, "evaluate", stop)
    assert run(*LINE.split())[0] == code
