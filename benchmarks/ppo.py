"""How fast the PPO run is: to a solved CartPole against stable-baselines3, and in steps a second.

    python benchmarks/ppo.py solve --peer-python /path/to/python   # pairs of cold processes, five seeds
    python benchmarks/ppo.py throughput                            # steps a second by number of environments
    python benchmarks/ppo.py throughput --device cuda --envs 1024 4096 16384 65536
    python benchmarks/ppo.py warm --device cuda                    # seconds to solved after warming up

``solve`` starts each side as a new process and stops the clock at its exit,
so that imports count. Both are judged by one rule, `rlcalc.ppo.run.evaluate.Evaluator`
on rlcalc's CartPole (equal to Gymnasium's state for state): every 4,096
steps the likeliest actions play 100 episodes, and 100 more where the mean is
at least 475. The two sides take turns, and the answer is a ratio of medians,
since the machine is as noisy for one as for the other. The peer needs
stable-baselines3.

``throughput`` counts whole iterations, eager ones and, on a GPU, replayed
ones too in the same process. ``warm`` runs one seed to load what is
loaded once, and then times each seed from a new trainer to solved, its own
recording included. Goals on a GPU: 10 million steps a second, and 2 seconds.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # runs from a checkout as it is
RESULTS = Path(__file__).resolve().parent / "results"
SEEDS = (0, 1, 2, 3, 4)


def peer(seed: int) -> None:
    """Runs inside the peer's process: stable-baselines3 with its tuned settings until solved."""
    import stable_baselines3
    import torch
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.env_util import make_vec_env

    from rlcalc.ppo.envs import make_env
    from rlcalc.ppo.run.evaluate import Evaluator

    torch.set_num_threads(1)
    model = stable_baselines3.PPO(
        "MlpPolicy", make_vec_env("CartPole-v1", n_envs=8, seed=seed), seed=seed, device="cpu",
        n_steps=32, batch_size=256, n_epochs=20, gamma=0.98, gae_lambda=0.8, ent_coef=0.0,
        learning_rate=lambda left: 1e-3 * left, clip_range=lambda left: 0.2 * left,
    )  # fmt: skip
    evaluator = Evaluator(
        lambda observation: model.policy._predict(observation, deterministic=True),
        make_env("cartpole", 100, 1_000_000 + seed, torch.device("cpu"), torch.float32),
        4096,
    )
    found: dict[str, Any] = {"solved": False, "judging": 0.0}

    class Solved(BaseCallback):
        def _on_step(self) -> bool:
            return not found["solved"]

        def _on_rollout_start(self) -> None:  # after each update
            if not evaluator.due(self.num_timesteps):
                return
            start = time.perf_counter()
            found["solved"] = evaluator.solved(self.num_timesteps)
            found["judging"] += time.perf_counter() - start

    start = time.perf_counter()
    model.learn(total_timesteps=100_000, callback=Solved())
    print(
        json.dumps(
            {
                "version": stable_baselines3.__version__,
                "solved": found["solved"],
                "env_steps": evaluator.history[-1][0],
                "mean_return": evaluator.history[-1][1],
                "learning_seconds": time.perf_counter() - start,
                "judging_seconds": found["judging"],
            }
        )
    )


def _timed(command: list[str]) -> dict[str, Any]:
    """A cold process: its JSON, and the seconds from before it started until it was gone."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, cwd=ROOT)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    found.pop("checks", None)
    return {**found, "process_seconds": round(seconds, 3), "cpu_seconds": round(processor, 3)}


def solve(peer_python: str, seeds: tuple[int, ...]) -> dict[str, Any]:
    """Pairs of cold processes, in turn, whose order changes from pair to pair."""
    sides = {
        "rlcalc": [sys.executable, "-m", "rlcalc", "ppo-run", "--device", "cpu", "--json", "--seed"],
        "stable_baselines3": [peer_python, str(Path(__file__).resolve()), "peer"],
    }
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in sides}
    for at, seed in enumerate(seeds):
        for name in list(sides)[:: 1 if at % 2 == 0 else -1]:
            found = _timed([*sides[name], str(seed)])
            runs[name].append({"seed": seed, **found})
            times = f"{found['process_seconds']:.1f} s, {found['cpu_seconds']:.1f} s of processor"
            verdict = f"{found['env_steps']} steps, solved: {found['solved']}"
            print(f"{name:<18} seed {seed}: {times}, {verdict}", flush=True)
    answer: dict[str, Any] = {
        "goal": 0.25,
        "all_solved": all(run["solved"] for found in runs.values() for run in found),
    }
    # processor seconds are given too: on a machine that others use, the clock also measures them
    for kind in ("process_seconds", "cpu_seconds"):
        ours, theirs = ([run[kind] for run in runs[name]] for name in sides)
        answer[kind] = {
            "ratio_of_medians": round(statistics.median(ours) / statistics.median(theirs), 4),
            "ratio_of_sums": round(sum(ours) / sum(theirs), 4),
            "medians": {"rlcalc": statistics.median(ours), "stable_baselines3": statistics.median(theirs)},
        }
    return {**answer, "runs": runs}


def throughput(counts: tuple[int, ...], seconds: float, device: str) -> list[dict[str, Any]]:
    """Steps a second by number of environments: whole iterations, with the checks, and collecting alone.

    On a GPU also of replayed iterations, with and without the checks, and
    their ratio to the eager ones.
    """
    import torch

    from rlcalc.ppo.check.checks import Checks
    from rlcalc.ppo.envs import make_env
    from rlcalc.ppo.run.capture import WARM_UP, can_capture, capture
    from rlcalc.ppo.settings import tuned
    from rlcalc.ppo.train import Trainer

    torch.set_num_threads(1)
    place = torch.device(device)
    wait = torch.cuda.synchronize if place.type == "cuda" else lambda: None

    def rate(work: Any, steps: int) -> float:
        work()
        wait()
        start, done = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            work()
            done += steps
        wait()
        return round(done / (time.perf_counter() - start))

    table = []
    for count in counts:
        # a small rate, so that minutes of training on few copies stay within what the checks call sane
        settings = tuned("cartpole", envs=count, steps=10**12, learning_rate=1e-4)

        def made(checks: Checks | None, settings: Any = settings) -> Trainer:
            env = make_env("cartpole", settings.envs, 0, place, torch.float32)
            return Trainer(settings, checks.watch(env) if checks else env, None, checks)

        plain, watched = made(None), made(Checks())
        row: dict[str, Any] = {
            "envs": count,
            "with_updates": rate(plain.iterate, settings.batch),
            "with_updates_and_checks": rate(watched.iterate, settings.batch),
            "collecting_alone": rate(plain.collect, settings.batch),
        }
        if can_capture(plain):
            for trainer, name in ((plain, "with_updates"), (watched, "with_updates_and_checks")):
                while trainer.iterations < WARM_UP:
                    trainer.iterate()
                capture(trainer)
                row[f"{name}_replayed"] = rate(trainer.iterate, settings.batch)
                row[f"{name}_replayed_over_eager"] = round(row[f"{name}_replayed"] / row[name], 2)
        table.append(row)
        print(row, flush=True)
    return table


def warm(seeds: tuple[int, ...], envs: int, device: str) -> dict[str, Any]:
    """Seconds from a new trainer to solved, in a process that has solved once before; checks on."""
    from rlcalc.ppo.run.run import Options, run
    from rlcalc.ppo.settings import tuned

    runs = []
    for at, seed in enumerate((seeds[0], *seeds)):
        found = run(tuned("cartpole", seed=seed, envs=envs), Options(device=device)).as_json()
        found.pop("checks")
        if at:
            runs.append(found)
            print(found, flush=True)
    times = [run["seconds"] for run in runs]
    return {
        "goal_seconds": 2.0,
        "envs": envs,
        "all_solved": all(run["solved"] for run in runs),
        "seconds": {"median": statistics.median(times), "worst": max(times)},
        "runs": runs,
    }


def _machine(device: str = "cpu") -> dict[str, Any]:
    import torch

    cpu = f"cpu, {os.cpu_count()} cores, {platform.machine()}"
    return {
        "date": datetime.date.today().isoformat(),
        "device": cpu if device == "cpu" else f"{torch.cuda.get_device_name(device)}; {cpu}",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _write(name: str, found: dict[str, Any], folder: Path, device: str = "cpu") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}_{device.partition(':')[0]}.json"
    path.write_text(json.dumps({**_machine(device), **found}, indent=2) + "\n", "utf-8")
    print(f"written to {path}")


def main() -> None:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    commands = parser.add_subparsers(dest="command", required=True)
    solving = commands.add_parser("solve")
    solving.add_argument("--peer-python", required=True, help="An interpreter that has stable-baselines3.")
    solving.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    speed = commands.add_parser("throughput")
    speed.add_argument("--envs", type=int, nargs="+", default=[1, 8, 64, 1024, 4096])
    speed.add_argument("--seconds", type=float, default=3.0)
    warmed = commands.add_parser("warm")
    warmed.add_argument("--envs", type=int, default=4096)
    warmed.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    for command in (speed, warmed):
        command.add_argument("--device", default="cpu", help="cpu, cuda or cuda:1")
    for command in (solving, speed, warmed):
        command.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER")
    commands.add_parser("peer").add_argument("seed", type=int)
    given = parser.parse_args()
    if given.command == "peer":
        peer(given.seed)
    elif given.command == "solve":
        _write("ppo_solve", solve(given.peer_python, tuple(given.seeds)), given.results)
    elif given.command == "warm":
        found = warm(tuple(given.seeds), given.envs, given.device)
        _write("ppo_warm", found, given.results, given.device)
    else:
        rates = throughput(tuple(given.envs), given.seconds, given.device)
        _write("ppo_throughput", {"steps_per_second": rates}, given.results, given.device)


if __name__ == "__main__":
    main()
