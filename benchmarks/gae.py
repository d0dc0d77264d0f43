"""The whole of ``rlcalc.gae`` on a CPU against plain loops over the same arrays, as ratios.

    python benchmarks/gae.py [--json FILE] [--rounds N]

Each line is ours / plain in the processor time of this process, the median over pairs that are run in turns
on one thread: below 1 we are faster. Ours is the public function, checks included; it and the plain ways
compute the advantages alone, of the same float32 arrays with a flag of termination per step, time last.
Where numba is installed the plain way is one compiled loop, and the goal 1.15; where it is not, it is the
faster of two NumPy loops over time, on columns or on transposed copies, and the goal 1.3. Time-major memory
is the plain loop's own [T, N], of which we get views. The second figure is that of tensors on the CPU to
ours in NumPy (goal 1.15), the third forward and backward to the same by Torch's own operations in a loop
over time (for short ones) and to forward alone.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # runs from a checkout as it is

import rlcalc

GAMMA, LAM = np.float32(0.99), np.float32(0.95)
SHAPES = ((4096, 2048), (4096, 128), (64, 4096), (1, 1_000_000))
Call = Callable[[], Any]


def columns(r: Any, v: Any, done: Any) -> Any:
    """A loop over time on the arrays as they lie."""
    out, x, going_on = np.empty_like(r), np.zeros_like(r[:, 0]), (~done).astype(r.dtype)
    for t in range(r.shape[1] - 1, -1, -1):
        x = r[:, t] + GAMMA * v[:, t + 1] * going_on[:, t] - v[:, t] + GAMMA * LAM * going_on[:, t] * x
        out[:, t] = x
    return out


def transposed(r: Any, v: Any, done: Any) -> Any:
    """The loop of most PPO code, on copies of [T, N]."""
    r, v, going_on = (np.ascontiguousarray(x.T) for x in (r, v, (~done).astype(r.dtype)))
    out, x = np.empty_like(r), np.zeros_like(r[0])
    for t in range(len(r) - 1, -1, -1):
        out[t] = x = r[t] + GAMMA * v[t + 1] * going_on[t] - v[t] + GAMMA * LAM * going_on[t] * x
    return np.ascontiguousarray(out.T)


def time_first(r: Any, v: Any, done: Any) -> Any:
    """The same loop on [T, N] as simulators fill it."""
    out, x = np.empty_like(r), np.zeros_like(r[0])
    for t in range(len(r) - 1, -1, -1):
        going_on = 1 - done[t].astype(r.dtype)
        out[t] = x = r[t] + GAMMA * v[t + 1] * going_on - v[t] + GAMMA * LAM * going_on * x
    return out


def lists(r: Any, v: Any, done: Any) -> Any:
    """One long row: Python numbers."""
    out, x = [0.0] * r.shape[1], 0.0
    rewards, values, ends = r[0].tolist(), v[0].tolist(), done[0].tolist()
    for t in range(len(rewards) - 1, -1, -1):
        x = rewards[t] - values[t] + (0.0 if ends[t] else GAMMA * values[t + 1] + GAMMA * LAM * x)
        out[t] = x
    return np.array([out], np.float32)


def plain_ways() -> dict[str, Callable[..., Any]]:
    if find_spec("numba") is None:
        return {"columns": columns, "transposed": transposed, "lists": lists}
    from numba import njit

    @njit
    def loop(r: Any, v: Any, done: Any) -> Any:
        out = np.empty_like(r)
        for i in range(len(r)):
            x = np.float32(0)
            for t in range(r.shape[1] - 1, -1, -1):
                going_on = np.float32(0 if done[i, t] else 1)
                delta = r[i, t] + GAMMA * going_on * v[i, t + 1] - v[i, t]
                x = delta + GAMMA * LAM * going_on * x
                out[i, t] = x
        return out

    return {"numba loop": loop}


def timed(call: Call) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def ratio(ours: Call, theirs: Call, rounds: int) -> float:
    ours(), theirs()
    return round(statistics.median(timed(ours) / timed(theirs) for _ in range(rounds)), 2)


def by_torch(r: Any, v: Any, going_on: Any) -> Any:
    """The loop of most PPO code on tensors, through which Torch differentiates by itself."""
    values, factors, x, out = v.unbind(1), going_on.unbind(1), torch.zeros(len(r)), []
    for t, reward in reversed([*enumerate(r.unbind(1))]):
        x = reward + GAMMA * values[t + 1] * factors[t] - values[t] + GAMMA * LAM * factors[t] * x
        out.append(x)
    return torch.stack(out[::-1], 1)


def measured(rows: int, steps: int, rounds: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    r, v = (rng.standard_normal((rows, steps + k)).astype(np.float32) for k in (0, 1))
    done = rng.random((rows, steps)) < 0.01
    tensors = [torch.from_numpy(x) for x in (r, v, done)]
    leaf = torch.from_numpy(v.copy()).requires_grad_()
    fewer = max(3, rounds // 3)

    def ours(r: Any = r, v: Any = v, done: Any = done) -> Any:
        return rlcalc.gae(r, v, gamma=0.99, lam=0.95, terminated=done)

    def slope(function: Call) -> Any:
        leaf.grad = None
        function().sum().backward()
        return leaf.grad

    def forward() -> Any:
        return ours(tensors[0], leaf, tensors[2])

    found: dict[str, Any] = {"shape": [rows, steps], "ours_to_plain": {}}
    for name, plain in plain_ways().items():
        if (name == "lists") == (rows == 1) or name == "numba loop":
            want = plain(r, v, done)  # compiles, too
            np.testing.assert_allclose(ours(), want, rtol=2e-3, atol=2e-3)
            found["ours_to_plain"][name] = ratio(ours, lambda plain=plain: plain(r, v, done), rounds)
    if rows > 1:
        major = [np.ascontiguousarray(x.T) for x in (r, v, done)]
        views = [x.T for x in major]
        np.testing.assert_allclose(ours(*views), time_first(*major).T, rtol=2e-3, atol=2e-3)
        found["ours_to_plain"]["time-major"] = ratio(lambda: ours(*views), lambda: time_first(*major), rounds)
    found["tensors_to_arrays"] = ratio(lambda: ours(*tensors), ours, rounds)
    found["with_backward_to_forward"] = ratio(lambda: slope(forward), ours, fewer)
    if rows > 1:
        going_on = (~tensors[2]).float()

        def theirs() -> Any:
            return by_torch(tensors[0], leaf, going_on)

        torch.testing.assert_close(slope(forward), slope(theirs), rtol=2e-3, atol=2e-3)
        found["with_backward_to_loop"] = ratio(lambda: slope(forward), lambda: slope(theirs), fewer)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    lines = []
    for shape in SHAPES:
        lines.append(measured(*shape, asked.rounds))
        print(lines[-1], flush=True)
    if asked.json:
        record = {"date": date.today().isoformat(), "numba": find_spec("numba") is not None}
        record |= {"numpy": np.__version__, "torch": torch.__version__, "pairs": asked.rounds, "lines": lines}
        Path(asked.json).write_text(json.dumps(record, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
