"""How fast the recurrence is, as ratios against public alternatives on the same machine.

    python benchmarks/recurrence.py [--json] [--rounds N] [--only WORDS] [--threads N]

Each line is a contest of two functions with the same inputs, run in turns within one process, so that
whatever else the machine does hits both. The ratio is theirs / ours, per pair of runs: above 1 we are
faster. Absolute times are not worth comparing across machines; ratios are. Both sides must agree on the
answer before they are timed. Opponents that are not installed are named as skipped.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # runs from a checkout as it is

from rlcalc.recurrence.scan import by_slabs, scan_numpy, scan_torch

GAMMA, LAM = 0.99, 0.95
Contest = tuple[str, Callable[[], Any], Callable[[], Any]]


def optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        print(f"skipped: {name} is not installed", file=sys.stderr)
        return None


# --- ours ----------------------------------------------------------------------------------------------


def gae_numpy(r: Any, v: Any, next_v: Any, done: Any) -> Any:
    def slab(r: Any, v: Any, next_v: Any, done: Any) -> Any:
        going_on = (~done).astype(r.dtype)  # `1 - done` would make int64, then float64
        delta = r + GAMMA * going_on * next_v - v
        return scan_numpy(delta, GAMMA * LAM * going_on)

    return by_slabs(slab, r, v, next_v, done)


def gae_torch(r: Any, v: Any, next_v: Any, done: Any) -> Any:
    going_on = (~done).to(r.dtype)
    delta = r + GAMMA * going_on * next_v - v
    return scan_torch(delta, GAMMA * LAM * going_on)


# --- theirs --------------------------------------------------------------------------------------------


def python_loop(b: Any, a: Any) -> list[float]:
    x, out = 0.0, [0.0] * len(b)
    for t in range(len(b) - 1, -1, -1):
        x = b[t] + a[t] * x
        out[t] = x
    return out


def time_major(r: Any, v: Any, next_v: Any, going_on: Any) -> Any:
    """The loop of most PPO code, on [T, N]."""
    out, x = np.empty_like(r), np.zeros_like(r[0])
    for t in range(len(r) - 1, -1, -1):
        delta = r[t] + GAMMA * next_v[t] * going_on[t] - v[t]
        out[t] = x = delta + GAMMA * LAM * going_on[t] * x
    return out


def one_sequence() -> Iterator[Contest]:
    steps = 1_000_000
    rng = np.random.default_rng(0)
    b = rng.standard_normal(steps)
    a = np.where(rng.random(steps) < 0.001, 0.0, GAMMA)
    b_list, a_list = b.tolist(), a.tolist()
    name = "1 x 1,000,000 float64, "

    def varying() -> Any:
        return scan_numpy(b, a)

    def constant() -> Any:
        return scan_numpy(b, GAMMA)

    yield name + "Python loop over lists", varying, lambda: python_loop(b_list, a_list)
    yield name + "Python loop over arrays", varying, lambda: python_loop(b, a)
    if signal := optional("scipy.signal"):

        def lfilter() -> Any:
            return signal.lfilter([1.0], [1.0, -GAMMA], b[::-1])[::-1]

        yield name + "scipy lfilter, constant a", constant, lfilter
    if numba := optional("numba"):

        @numba.njit
        def jitted(b: Any, a: Any) -> Any:
            out, x = np.empty_like(b), 0.0
            for t in range(len(b) - 1, -1, -1):
                x = b[t] + a[t] * x
                out[t] = x
            return out

        yield name + "numba loop", varying, lambda: jitted(b, a)
    if (jax := optional("jax")) and (rlax := optional("rlax")):
        jax.config.update("jax_enable_x64", True)
        discounted = jax.jit(lambda r, g: rlax.discounted_returns(r, g, 0.0))
        b_jax, a_jax = jax.numpy.asarray(b), jax.numpy.asarray(a)
        yield name + "rlax, jitted", varying, lambda: discounted(b_jax, a_jax).block_until_ready()


def batch(count: int, steps: int) -> Iterator[Contest]:
    rng = np.random.default_rng(0)
    r, v, next_v = rng.standard_normal((3, count, steps)).astype(np.float32)
    done = rng.random((count, steps)) < 0.01
    ours = r, v, next_v, done
    tensors = [torch.from_numpy(x) for x in ours]
    major = [np.ascontiguousarray(x.T) for x in (r, v, next_v, (~done).astype(np.float32))]
    last = [x.T for x in (r, v, next_v, (~done).astype(np.float32))]
    name = f"GAE {count} x {steps} float32, "

    def with_numpy() -> Any:
        return gae_numpy(*ours)

    def with_torch() -> Any:
        return gae_torch(*tensors)

    # The same memory for both: what we take as [N, T] are views of it.
    views = [x.T for x in major[:3]] + [np.ascontiguousarray(done.T).T]
    view_tensors = [torch.from_numpy(x) for x in views]
    yield f"{name}NumPy: time-major loop, same data", lambda: gae_numpy(*views), lambda: time_major(*major).T
    yield (
        f"{name}Torch: time-major loop, same data",
        lambda: gae_torch(*view_tensors),
        lambda: time_major(*major).T,
    )
    # Once with data and masks lying the way the loop likes them, for free, and once with what we are given.
    for label, data in (("", major), (", time-last data", last)):
        yield f"{name}NumPy: time-major loop{label}", with_numpy, lambda d=data: time_major(*d).T
        yield f"{name}Torch: time-major loop{label}", with_torch, lambda d=data: time_major(*d).T
    if peers := optional("torchrl.objectives.value.functional"):
        r3, v3, next3, done3 = (x[..., None] for x in tensors)
        for label, peer in (
            ("loop", peers.generalized_advantage_estimate),
            ("vec", peers.vec_generalized_advantage_estimate),
        ):
            if label == "vec" and steps > 1000:
                continue  # some ten seconds a run

            def theirs(peer: Any = peer) -> Any:
                return peer(GAMMA, LAM, v3, next3, r3, done3, terminated=done3)[0][..., 0]

            yield f"{name}Torch: torchrl {label}", with_torch, theirs
            yield f"{name}NumPy: torchrl {label}", with_numpy, theirs
    if numba := optional("numba"):

        @numba.njit
        def jitted(r: Any, v: Any, next_v: Any, done: Any) -> Any:
            out = np.empty_like(r)
            for i in range(len(r)):
                x = np.float32(0)
                for t in range(r.shape[1] - 1, -1, -1):
                    going_on = np.float32(0 if done[i, t] else 1)
                    delta = r[i, t] + np.float32(GAMMA) * going_on * next_v[i, t] - v[i, t]
                    x = delta + np.float32(GAMMA * LAM) * going_on * x
                    out[i, t] = x
            return out

        yield name + "NumPy: numba loop", with_numpy, lambda: jitted(*ours)
    if (jax := optional("jax")) and (rlax := optional("rlax")):
        # rlax takes v at t = 0..T of one row; the TD errors are left out of its share of the work.
        lam_returns = jax.jit(jax.vmap(rlax.lambda_returns, in_axes=(0, 0, 0, None)))
        delta = jax.numpy.asarray(r + GAMMA * ~done * next_v - v, dtype="float32")
        discounts = jax.numpy.asarray(GAMMA * LAM * ~done, dtype="float32")
        nothing = jax.numpy.zeros_like(delta)
        yield (
            name + "NumPy: rlax scan alone, jitted",
            with_numpy,
            lambda: lam_returns(delta, discounts, nothing, 1.0).block_until_ready(),
        )


def measure(contest: Contest, rounds: int) -> dict[str, Any]:
    name, ours, theirs = contest
    a, b = np.asarray(ours()), np.asarray(theirs())  # warms both up, too
    np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3 if a.dtype == np.float32 else 1e-9)
    ours(), theirs()
    pairs = []
    for turn in range(rounds):
        took = {}
        for function in (ours, theirs) if turn % 2 else (theirs, ours):
            start = time.perf_counter()
            function()
            took[function] = time.perf_counter() - start
        pairs.append((took[ours], took[theirs]))
    ratios = sorted(t / o for o, t in pairs)
    return {
        "contest": name,
        "ours_ms": 1e3 * statistics.median(o for o, _ in pairs),
        "theirs_ms": 1e3 * statistics.median(t for _, t in pairs),
        "ratio": {"min": ratios[0], "median": statistics.median(ratios), "max": ratios[-1]},
        "rounds": rounds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON list on stdout")
    parser.add_argument("--rounds", type=int, default=15, help="pairs of runs per contest")
    parser.add_argument("--only", default="", help="contests whose name contains this")
    parser.add_argument("--threads", type=int, default=1, help="of Torch; more wait for each other when busy")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    if not options.json:
        print(f"{'theirs / ours':54} {'min':>7} {'median':>7} {'max':>7} {'ours ms':>9} {'theirs ms':>9}")
    results = []
    for contests in (one_sequence(), batch(4096, 128), batch(4096, 2048)):
        for contest in contests:
            if options.only not in contest[0]:
                continue
            result = measure(contest, options.rounds)
            results.append(result)
            if not options.json:
                ratio, times = result["ratio"], (result["ours_ms"], result["theirs_ms"])
                numbers = " ".join(f"{ratio[k]:7.2f}" for k in ("min", "median", "max"))
                print(f"{contest[0]:54} {numbers} {times[0]:9.2f} {times[1]:9.2f}", flush=True)
    if options.json:
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
