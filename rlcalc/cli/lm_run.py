"""``rlcalc lm-run``: train a language model with the verified formulas, through the lecture's four stages."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rlcalc.cli import training
from rlcalc.cli.command import Command
from rlcalc.cli.screen import ALARM, ANSWER, HEADING, Screen, page_width, write_json
from rlcalc.errors import CheckFailed, many
from rlcalc.plotting import check_file

if TYPE_CHECKING:
    from rlcalc.lm.run.run import Options, Result
    from rlcalc.lm.settings import Settings

EXAMPLES = """
rlcalc lm-run  # all four stages, then GRPO; a minute or two
rlcalc lm-run --algorithm ppo --plot reward.png  # with a critic, and a picture
rlcalc lm-run --checkpoint lm --resume  # resume a run
"""

app = typer.Typer(add_completion=False, rich_markup_mode=None)
# what else an option that is a command of its own takes
MODES = {
    "--acceptance": ("--algorithm", "--steps", "--device", "--checks", "--json"),
    "--sabotage": ("--json",),
}


@app.command(cls=Command, epilog=EXAMPLES)
def lm_run(
    ctx: typer.Context,
    algorithm: str = typer.Option("grpo", "--algorithm", metavar="NAME", help="grpo, ppo, rloo or dpo."),
    seed: int = typer.Option(0, "--seed", metavar="N", help="Seed for networks, texts and answers.", min=0),
    device: str = training.DEVICE,
    steps: int = typer.Option(
        None, "--steps", metavar="N", help="Updates by reward, after the first three stages.", min=1
    ),
    plot: str = typer.Option(None, "--plot", metavar="FILE", help="Save a plot of reward and accuracy."),
    log: Path = training.LOG,
    folder: Path = training.FOLDER,
    resume: bool = training.RESUME,
    checks: bool = training.CHECKS,
    acceptance: bool = typer.Option(
        False, "--acceptance", help="Seeds 0 to 4, all from at most 30 % to at least 90 % right, or exit 1."
    ),
    sabotage: bool = training.SABOTAGE,
    as_json: bool = training.AS_JSON,
) -> None:
    """Train a language model by GRPO, PPO, RLOO or DPO with the verified formulas.

    A tiny transformer learns to add: pre-training, fine-tuning, preference, and then reward alone. Under
    torchrun the ranks share the work. Exit code 1 when a check fails; 130 when interrupted by Ctrl-C and
    143 by SIGTERM, with a checkpoint to resume from.
    """
    given = training.given_options(ctx)
    training.check_mode(given, MODES)
    with training.importing():
        from rlcalc.lm.run.run import FORMAT, Options
        from rlcalc.lm.settings import tuned
        from rlcalc.training.run import one_thread
    if sabotage:
        with one_thread():
            _sabotage(as_json)
        return
    if acceptance:
        _acceptance(Options(device=device, checks=checks), algorithm, steps, as_json)
        return
    if plot is not None:
        check_file(plot)
    options = Options(device=device, checks=checks, folder=folder, resume=resume, log=log)
    if resume:
        saved = training.as_saved(FORMAT, folder, given, {"algorithm": algorithm, "seed": seed})
        settings = replace(saved, steps=steps or saved.steps)
    else:
        settings = tuned(algorithm, seed=seed, steps=steps)
    _one(settings, options, plot, as_json)


def _one(settings: Settings, options: Options, plot: str | None, as_json: bool) -> None:
    from rlcalc.lm.run.display import picture, quantities
    from rlcalc.lm.run.run import run

    with training.watching(lambda now: quantities(now, settings), lambda now: now.metrics.reward) as show:
        result = run(settings, options, show)
    training.conclude(result, "lm-run", f"{result.iterations:,} updates", as_json, _print, plot, picture)


def _print(result: Result) -> None:
    from rlcalc.training.display import WIDEST, curve

    out, s = Screen(sys.stdout), result.settings
    words = "stopped" if result.failure is not None or result.signal is not None else "done"
    took = f"in {result.seconds:.1f} s ({result.cpu_seconds:.1f} s of CPU)"
    head = f"{words} after {many(result.iterations, 'update')} {took}"
    if result.idle:
        head = training.nothing_to_do(result.by_reward, s.steps, "updates by reward")
    out.line(
        f"{s.algorithm.upper()}, seed {s.seed}, {result.device}: {head}",
        ALARM if result.failure else ANSWER if result.accuracy is not None else HEADING,
    )
    for name, length in s.stages:
        if name in result.stages:
            length = result.by_reward if name == "reasoning" else length
            out.line(f"{result.stages[name]:6.1%} right after {name} ({many(length, 'update')})")
    if result.idle:
        return
    text = curve(result.rewards, None, result.accuracies, min(WIDEST, page_width()), "updates", _LEGEND)
    training.print_rest(out, result, text, result.trained)


_LEGEND = ("reward of samples", "likeliest answers right")


def _acceptance(options: Options, algorithm: str, steps: int | None, as_json: bool) -> None:
    from rlcalc.lm.run.acceptance import runs, summary

    out, found = training.for_people(as_json), []
    out.line("      answers right by likeliest tokens                         seconds", HEADING)
    out.line("seed  before  after   sft_loss alone  sft_loss, right answers   wall   CPU", HEADING)
    for seed in runs(options, algorithm, steps=steps):
        found.append(seed)
        result = seed.result
        shares = (result.before, result.accuracy, seed.imitation, seed.taught)
        before, after, alone, taught = ("none" if x is None else f"{x:.1%}" for x in shares)
        out.line(
            f"{result.settings.seed:<4}  {before:<6}  {after:<6}  {alone:<14}  {taught:<24}"
            f"{result.seconds:>6.0f}{result.cpu_seconds:>6.0f}",
            "" if seed.passed else ALARM,
        )
        sys.stdout.flush()
        if result.failure is not None or result.signal is not None:
            training.end(result, "lm-run", f"{result.iterations:,} updates")
    whole = summary(found)
    passed = f"{sum(seed.passed for seed in found)} of {len(found)}"
    limits = whole["within"]
    out.paragraph(
        f"{passed} seeds from at most {limits['accuracy_before']:.0%} to at least {limits['accuracy']:.0%} "
        f"within {limits['cpu_seconds']:.0f} s of CPU",
        style=ANSWER if whole["passed"] else ALARM,
    )
    if as_json:
        write_json(whole)
    if not whole["passed"]:
        raise CheckFailed("acceptance_failed", f"Only {passed} seeds passed.")


def _sabotage(as_json: bool) -> None:
    from rlcalc.lm.check.checks import ABOUT
    from rlcalc.lm.check.faults import FAULTS
    from rlcalc.lm.check.sabotage import control, detect

    found = chain([control()], (detect(fault, fault.probes) for fault in FAULTS))
    training.print_detections(found, ABOUT, "", as_json)
