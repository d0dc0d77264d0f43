"""Batches from JSON lines, NumPy's arrays and safetensors."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.command import run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.jsonl").write_text(
        '{"loss": [1, 2], "mask": [1, 1], "adv": 0.1, "note": {"a": 1}}\n\n'
        '{"loss": [3, 4, null, 6], "mask": [true, true, false, true], "adv": -2, "note": {}}\n'
    )
    np.save(tmp_path / "loss.npy", np.array([[0.1, 2, np.nan], [3, 4, 5]], np.float32))
    np.save(tmp_path / "mask.npy", np.array([[1, 1, 0], [1, 1, 1]], bool))
    np.save(tmp_path / "objects.npy", np.array([{}, 1], object), allow_pickle=True)
    tensors(
        tmp_path / "t.safetensors",
        loss=("BF16", [[0x3FC0, 0x4000], [0x4040, 0x4080]], "<u2"),
        n=("I64", [7], "<i8"),
    )
    return tmp_path


def tensors(path: Path, **parts: tuple[str, Any, str]) -> None:
    """A file as its format is described: length of the header, header, numbers."""
    header: dict[str, Any] = {"__metadata__": {"format": "np"}}
    data = b""
    for name, (dtype, values, kind) in parts.items():
        raw = np.array(values, kind)
        header[name] = {
            "dtype": dtype,
            "shape": raw.shape,
            "data_offsets": [len(data), len(data) + raw.nbytes],
        }
        data += raw.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("loss-aggregation --loss @b.jsonl:loss --mask @b.jsonl:mask", "16/5"),
        # a float32 is the decimal that was meant, and NaN under a mask is not there: 14.1/5
        ("loss-aggregation --loss @loss.npy --mask @mask.npy", "141/50"),
        # 1.5, 2, 3 and 4 as the upper halves of float32
        ("loss-aggregation --loss @t.safetensors:loss", "21/8"),
        ("loss-aggregation --loss @t.safetensors:loss --tokens @t.safetensors:n", "3/2"),
        # 1/10 exactly, and no nearest float: 21/10 above the other one
        ("rloo-advantage --rewards @b.jsonl:adv --groups 0 0", "21/10 -21/10"),
    ],
)
def test_batches_of_files(folder: Path, words: str, answer: str) -> None:
    code, out, _ = run(*words.split(), "--quiet")
    assert (code, out.strip()) == (0, answer)


def test_a_real_batch_is_printed_as_rows(folder: Path) -> None:
    """A table of 16 by 2048 would take seconds to lay out."""
    np.save(folder / "batch.npy", np.ones((16, 2048)))
    code, out, _ = run("loss-aggregation", "--loss", "@batch.npy", "--mode", "token-sum")
    assert code == 0
    assert "w  (weights)\n  [1, 1, 1, " in out
    assert out.count("[") == out.count("]") == 16


def test_rows_of_different_lengths_need_no_mask(folder: Path) -> None:
    (folder / "r.jsonl").write_text('{"l": [1, 2]}\n{"l": ["3", 4, 5, 6]}\n')
    assert run("loss-aggregation", "--loss", "@r.jsonl:l", "-q")[:2] == (0, "7/2\n")
    assert run("loss-aggregation", "--loss", "1 2; 3 4 5 6", "-q")[:2] == (0, "7/2\n")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("b.jsonl", "Which of b.jsonl? It has 'loss', 'mask', 'adv', 'note'."),
        ("b.jsonl:los", "b.jsonl, line 1 has no 'los'.\n  Did you mean loss?"),
        ("b.jsonl:note", "line 1: 'note' holds an object, not numbers"),
        ("b.jsonl:adv", "--loss takes rows of numbers, and 'b.jsonl' holds a list"),
        ("objects.npy", "no array of numbers: it holds Python objects"),
        ("t.safetensors", "Which of t.safetensors? It has 'loss', 'n'."),
        ("t.safetensors:lose", "t.safetensors has no 'lose'.\n  Did you mean loss?"),
        ("none.npy", "none.npy cannot be read"),
        ("none.safetensors:x", "'none.safetensors' cannot be read: there is no such file."),
        ("loss.npy:x", "'loss.npy' is one array and has no 'x'.\n  Write @loss.npy."),
        ("loss.npy", "'nan' is not finite"),
        ("bad.jsonl:x", "bad.jsonl, line 2: this is no JSON"),
        ("list.jsonl:x", "list.jsonl, line 1: expected an object with fields, not '[1, 2]'"),
        ("bad.npy", "it is damaged, or another format"),
        ("short.safetensors:loss", "it ends too early"),
        ("bad.safetensors:x", "its header has no sensible length"),
        ("deep.jsonl:x", "line 1"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(folder: Path, name: str, said: str) -> None:
    (folder / "bad.jsonl").write_text('{"x": [1]}\n{"x": [1,]}\n')
    (folder / "list.jsonl").write_text("[1, 2]\n")
    (folder / "deep.jsonl").write_text('{"x": ' + "[" * 100_000 + "]" * 100_000 + "}\n")
    (folder / "bad.npy").write_bytes(b"\x93NUMPY rubbish")
    (folder / "bad.safetensors").write_bytes(b"\xff" * 40)
    (folder / "short.safetensors").write_bytes((folder / "t.safetensors").read_bytes()[:-9])
    code, out, err = run("loss-aggregation", "--loss", f"@{name}")
    assert code == 2
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_no_code_of_a_file_runs(folder: Path) -> None:
    class Attack:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(folder / "made"),)

    np.save(folder / "a.npy", np.array([Attack()], object), allow_pickle=True)
    assert run("loss-aggregation", "--loss", "@a.npy")[0] == 2
    assert not (folder / "made").exists()


def test_help_says_so() -> None:
    assert "@batch.jsonl:field" in " ".join(run("loss-aggregation", "--help")[1].split())
