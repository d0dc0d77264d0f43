"""Attacks by functions and programs that `conform` is asked to judge, and on the Python functions."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time

from tests.fuzz.scene import ROOT, Scene, processes, scene, scenes
from tests.fuzz.scenes_files import GOLDEN

TARGETS = """
import os, pickle, subprocess, sys, time
import numpy as np

def good(ratio, adv, eps=0.2):
    return np.minimum(ratio * adv, np.clip(ratio, 1 - eps, 1 + eps) * adv)

def bad(ratio, adv, eps=0.2):
    return ratio * adv

def wide(**given):
    return np.longdouble(1)

class Runs:
    def __reduce__(self):
        return os.system, ("echo ran > mark",)

def into_every_file(raw):
    for number in range(3, 31):
        try:
            os.write(number, raw)
        except OSError:
            pass
    return 0.0

def garbage(**given):
    return into_every_file(b"garbage" * 100)

def pickled(**given):
    return into_every_file(pickle.dumps(Runs()))

def raises(**given):
    raise ValueError("x" * 10_000_000)

def leaves(**given):
    subprocess.Popen(["sleep", "7131"], start_new_session=True)
    return 0.0

def colours(**given):
    sys.stderr.write("\\x1b[31mred" * 100_000)
    return 0.0

def slow(ratio, adv, eps=0.2):
    time.sleep(0.02)
    return good(ratio, adv, eps)
"""


def conform(at: Scene, words: str, *codes: int, name: str = "t.py") -> str:
    at.write(name, TARGETS)
    done = at.ends(f"rlcalc conform {name}:{words} --formula ppo_clip --random 0", *codes)
    return done.out + done.err


scenes(
    {"conform/longdouble": "wide", "conform/pipe-garbage": "garbage"}, lambda at, name: conform(at, name, 1)
)
scenes(
    {"crash/limit-nan": "good --limit nan", "conform/junit-late": "slow --junit nowhere/x.xml"},
    lambda at, words: conform(at, words, 2),
)


def decimal(at: Scene, text: str) -> None:
    vectors = at.write("x.toml", GOLDEN.replace("6.0000000000000000000", text))
    assert "decimal" in conform(at, f"good --vectors {vectors}", 2)


scenes({"toml/decimal-six": "six", "toml/decimal-nan": "nan", "toml/decimal-false": "infinity"}, decimal)


@scene("conform/pipe-pickle")
def pickled(at: Scene) -> None:
    conform(at, "pickled", 1)
    assert not (at.folder / "mark").exists(), "a pickle of the target's was opened"


@scene("conform/long-exception")
def long(at: Scene) -> None:
    printed = conform(at, "raises", 1)
    assert len(printed) < 20_000, f"{len(printed)} characters"


@scene("conform/stderr-ansi")
def colours(at: Scene) -> None:
    printed = conform(at, "colours", 1)
    assert "\x1b" not in printed, "raw escapes"
    assert len(printed) < 100_000, f"{len(printed)} characters"


@scene("conform/setsid")
def sessions(at: Scene) -> None:
    conform(at, "leaves", 1)
    left = processes("sleep 7131")
    for number in left:
        os.kill(number, signal.SIGKILL)
    assert not left, f"{len(left)} processes in sessions of their own are left"


@scene("conform/write-test-dash")
def named_oddly(at: Scene) -> None:
    for name in ("my-agent.py", "01_loss.py"):
        conform(at, "bad --write-test out_test.py", 1, name=name)
        done = at.shell(f"{sys.executable} -m pytest -q -p no:cacheprovider out_test.py")
        assert re.search(r"[1-9] failed", done.out), "the written test does not run"


@scene("conform/no-progress")
def progress(at: Scene) -> None:
    at.write("t.py", TARGETS)
    words = "rlcalc conform t.py:slow --formula ppo_clip --random 20"
    at.ends(f'TERM=xterm script -qec "{words}" typed > /dev/null', 0)
    shown = (at.folder / "typed").read_text("utf-8", errors="replace")
    assert "━" in shown.partition("conforms")[0], "no progress on a terminal"


# programs


def program(at: Scene, command: str, *codes: int) -> None:
    at.ends(f"rlcalc conform --exec {command} --random 0", *codes)


@scene("conform/exec-deadlock")
def never_reads(at: Scene) -> None:
    head, one = GOLDEN.replace('"5"', '"0"').replace('"6"', '"0"').split("[[case]]")
    one = one.replace("6.0000000000000000000", "0")
    cases = "".join("[[case]]" + one.replace("/one", f"/n{number}") for number in range(3000))
    at.write("zeros.toml", head + cases)
    answer = '"yes \'{\\"answer\\": 0}\'"'
    program(at, f"{answer} --formula ppo_clip --vectors zeros.toml --limit 2", 0, 1)


@scene("conform/exec-deep")
def deep(at: Scene) -> None:
    reply = "'{\"answer\": ' + '[' * 900 + ']' * 900 + '}'"
    at.write("deep.py", f"import sys\nfor line in sys.stdin:\n    print({reply}, flush=True)\n")
    program(at, f"'{sys.executable} deep.py' --formula ppo_clip", 1)


scenes(
    {"crash/exec-limit-inf": "'yes 1' --formula gae --limit inf"}, lambda at, words: program(at, words, 1, 2)
)


@scene("conform/term-exec")
def ended(at: Scene) -> None:
    for number, length in ((signal.SIGTERM, 7129), (signal.SIGHUP, 7127), (signal.SIGKILL, 7121)):
        words = ["conform", "--exec", f"sleep {length}", "--formula", "ppo_clip", "--limit", "60"]
        command = [sys.executable, "-m", "rlcalc", *words]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
            begin = time.monotonic()
            while not processes(f"sleep {length}"):
                assert time.monotonic() - begin < 60, "the program never started"
                time.sleep(0.2)
            process.send_signal(number)
            process.wait(30)
        time.sleep(1)
        assert not processes(f"sleep {length}"), f"left after signal {number}"
    at.said = "nothing left after SIGTERM, SIGHUP and SIGKILL"


# the Python functions


def refused(at: Scene, call: str) -> None:
    printed = at.python(
        f"import numpy as np, rlcalc\ntry:\n    print({call})\nexcept rlcalc.InputError as error:\n"
        "    print('refused', error.code)"
    )
    assert printed.startswith("refused "), f"accepted: {printed}"


scenes(
    {
        "api/masked": "rlcalc.discounted_return(np.ma.masked_array([1., 100., 3.], mask=[0, 1, 0]))",
        "api/struct": "rlcalc.discounted_return(np.array([(1,), (2,)], dtype=[('a', 'f8')]))",
        "api/none": "rlcalc.discounted_return([1, None, 3])",
        "api/tensor-domain": "rlcalc.entropy(__import__('torch').full((3,), -7.0))",
    },
    refused,
)


@scene("api/alias")
def own_arrays(at: Scene) -> None:
    """No answer of any worked vector is a view of an input, or cannot be written to."""
    printed = at.python(
        "import numpy as np, rlcalc\n"
        "given = dict(policy=np.array([0.5, 0.5]), returns=np.array([1.0, 2.0]), baseline=np.array(1.0))\n"
        "made = [(given, rlcalc.compute('baseline_variance', **given))]\n"
        "given = dict(value=np.array(0.0), returns=np.array([6.0, 2.0, 4.0]), alpha='mean')\n"
        "made.append((given, rlcalc.compute('mc_update', **given)))\n"
        "print([name for given, outputs in made for name, x in outputs.items()\n"
        "       if isinstance(x, np.ndarray) and x.ndim and not x.flags.writeable\n"
        "       or any(np.shares_memory(x, v) for v in given.values())])"
    )
    assert printed == "[]", printed


@scene("api/compile-fullgraph")
def one_graph(at: Scene) -> None:
    printed = at.python(
        "import torch, rlcalc\n"
        "f = torch.compile(lambda r, a: rlcalc.ppo_clip(r, a), fullgraph=True, backend='eager')\n"
        "print(float(f(torch.tensor(1.5), torch.tensor(5.0))))"
    )
    assert abs(float(printed) - 6) < 1e-5, printed
