"""Functions under test that no ``try`` around a call can contain.

Where ``RLCALC_TEST_PIDS`` names a file, each writes the numbers of the processes it runs in.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pickle
import re
import signal
import struct
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import rlcalc

# long enough to be late, and gone by itself where a test fails to end it
MINUTE = 60


def note(*pids: int) -> None:
    path = os.environ.get("RLCALC_TEST_PIDS")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.writelines(f"{pid}\n" for pid in pids or (os.getpid(),))


def waits_with_the_lock(**_):
    """Sleeps in C and keeps every other thread of Python from running."""
    note()
    ctypes.PyDLL(None).sleep(MINUTE)


def backtracks(**_):
    """2^60 ways to part the text, inside one call of compiled code."""
    note()
    return re.match(r"(a+)+$", "a" * 60 + "b")


def catches_everything(**_):
    note()
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(0.01)


def ignores_signals(**_):
    """Blocks every signal that can be blocked, the alarm among them."""
    note()
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(MINUTE)


def _has_a_child() -> None:
    """It hangs, and holds the same pipes."""
    child = os.fork()
    if child == 0:
        time.sleep(MINUTE)
        os._exit(0)
    note(os.getpid(), child)


def leaves_a_child(**_):
    """Hangs as well."""
    _has_a_child()
    time.sleep(MINUTE)


def aborts(**_):
    note()
    os.abort()


def crashes(**_):
    note()
    ctypes.string_at(0)


def exits(**_):
    note()
    os._exit(3)


def exits_and_leaves_a_child(**_):
    _has_a_child()
    os._exit(3)


def interrupts(**_):
    raise KeyboardInterrupt("my own")


def hangs_on_long_ones(rewards, **given):
    if rewards.shape[-1] > 20:
        ctypes.PyDLL(None).sleep(MINUTE)
    return rlcalc.gae(rewards, **given)


def slow_with_a_thousand_steps(rewards, **given):
    if rewards.shape[-1] >= 1000:
        time.sleep(MINUTE)
    return rlcalc.gae(rewards, **given)


def aborts_on_long_ones(rewards, **given):
    if rewards.shape[-1] > 20:
        os.abort()
    return rlcalc.gae(rewards, **given)


def one_discount(rewards, values, gamma: float, lam, **flags):
    if np.ndim(gamma):
        raise TypeError("one number")
    return rlcalc.gae(rewards, values, gamma, lam, **flags)


def echoes(rewards, **_):
    return rewards


def shouts(rewards, **given):
    print("from Python")
    os.write(1, b"from C\n")
    sys.stdin.read()
    return rlcalc.gae(rewards, **given)


def changes(rewards, values, **given):
    found = rlcalc.gae(rewards, values, **given)
    values[..., 0] += 1
    return found


def table_changed(mdp, **_):
    mdp["r"] *= 2
    return np.zeros(len(mdp["start"]))


def leaves_a_detached_child(**_):
    """Hangs, and so does a grandchild in a session of its own."""
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            note()
            time.sleep(MINUTE)
        os._exit(0)
    os.waitpid(child, 0)
    note()
    time.sleep(MINUTE)


def kills_its_parent(**_):
    note()
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(MINUTE)


# answers that are not what a function should return


def _write_everywhere(data: bytes) -> None:
    for number in range(3, 31):
        with contextlib.suppress(OSError):
            os.write(number, data)


def writes_garbage(**_):
    _write_everywhere(b"garbage" * 100)
    return 0.0


class _Runs:
    def __reduce__(self):
        return Path.touch, (Path(os.environ["RLCALC_TEST_PIDS"] + ".owned"),)


def writes_a_pickle(**_):
    data = pickle.dumps(_Runs())
    _write_everywhere(struct.pack("<Q", len(data)) + data)
    return 0.0


def complains_without_end(**_):
    os.write(2, b"\x1b[31m" * 1_000_000)
    return 0.0


def wide(**_):
    return np.zeros((3000, 3000))


def broadcast(**_):
    return np.zeros((1000, 1000))


def endless(**_):
    return np.broadcast_to(0.0, (10**6, 10**6))


def long_double(**_):
    return np.longdouble(0)


def masked(**_):
    return np.ma.masked_array([1.0, 2.0], [False, True])


def long_words(**_):
    raise ValueError("x" * 10_000_000)


class Speechless(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def speechless(**_):
    raise Speechless


def many_digits(**_):
    return 10**400


def itself(**_):
    found: list[Any] = []
    found.append(found)
    return found


not_a_function = 3
