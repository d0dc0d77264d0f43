"""``rlcalc ppo-run``: train an agent with the verified formulas, end to end."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rlcalc.cli import training
from rlcalc.cli.command import Command
from rlcalc.cli.screen import ALARM, ANSWER, HEADING, Screen, page_width, write_json
from rlcalc.errors import CheckFailed
from rlcalc.plotting import check_file

if TYPE_CHECKING:
    from rlcalc.ppo.run.run import Options, Result
    from rlcalc.ppo.settings import Settings

EXAMPLES = """
rlcalc ppo-run --env bandit --steps 2048  # seconds, with every check
rlcalc ppo-run --plot curve.png  # CartPole, and its learning curve
rlcalc ppo-run --checkpoint run --resume  # resume a run
"""

app = typer.Typer(add_completion=False, rich_markup_mode=None)
# what else an option that is a command of its own takes
MODES = {
    "--acceptance": ("--device", "--envs", "--checks", "--eager", "--json"),
    "--exact": ("--seed", "--json"),
    "--sabotage": ("--json",),
}


@app.command(cls=Command, epilog=EXAMPLES)
def ppo_run(
    ctx: typer.Context,
    env: str = typer.Option(
        "cartpole", "--env", metavar="NAME", help="cartpole, bandit, grid2x2, tokens or gym:NAME."
    ),
    seed: int = typer.Option(
        0, "--seed", metavar="N", help="Seed for network, actions and environments.", min=0
    ),
    device: str = training.DEVICE,
    envs: int = typer.Option(None, "--envs", metavar="N", help="Parallel environments.", min=1),
    steps: int = typer.Option(
        None, "--steps", metavar="N", help="Total steps at most, in all environments together.", min=1
    ),
    plot: str = typer.Option(None, "--plot", metavar="FILE", help="Save a plot of the learning curve."),
    log: Path = training.LOG,
    folder: Path = training.FOLDER,
    resume: bool = training.RESUME,
    checks: bool = training.CHECKS,
    eager: bool = typer.Option(
        False, "--eager", help="On a GPU, launch every kernel instead of replaying a recorded iteration."
    ),
    acceptance: bool = typer.Option(
        False, "--acceptance", help="CartPole on seeds 0 to 4, all solved or exit 1."
    ),
    exact: bool = typer.Option(False, "--exact", help="Only the exact checks that need no long training."),
    sabotage: bool = training.SABOTAGE,
    as_json: bool = training.AS_JSON,
) -> None:
    """Train an agent by PPO with the verified formulas, checking every update.

    Under torchrun the ranks share the work. Exit code 1 when a check fails; 130 when interrupted by
    Ctrl-C and 143 by SIGTERM, with a checkpoint to resume from.
    """
    given = training.given_options(ctx)
    training.check_mode(given, MODES)
    with training.importing():
        from rlcalc.ppo.run.run import FORMAT, Options, one_thread
    if exact or sabotage:
        with one_thread():
            _exact(seed, as_json) if exact else _sabotage(as_json)
        return
    from rlcalc.ppo.settings import tuned

    if acceptance:
        _acceptance(Options(device=device, checks=checks, capture=not eager), envs, as_json)
        return
    if plot is not None:
        check_file(plot)
    options = Options(device=device, checks=checks, capture=not eager, folder=folder, resume=resume, log=log)
    if resume:
        saved = training.as_saved(FORMAT, folder, given, {"env": env, "seed": seed, "envs": envs})
        settings = replace(saved, steps=steps or saved.steps)
    else:
        settings = tuned(env, seed=seed, envs=envs, steps=steps)
    _one(settings, options, plot, as_json)


def _one(settings: Settings, options: Options, plot: str | None, as_json: bool) -> None:
    from rlcalc.ppo.run.display import picture, quantities
    from rlcalc.ppo.run.run import run

    screen = Screen(sys.stderr)
    if settings.planned > settings.steps:
        screen.note(
            f"one iteration is {settings.envs} environments × {settings.horizon} = {settings.batch:,} steps, "
            f"and {settings.steps:,} is less; {settings.batch:,} steps are trained."
        )
    with training.watching(
        lambda now: quantities(now, settings), lambda now: now.metrics.episode_return
    ) as show:
        result = run(settings, options, show)
    training.conclude(result, "ppo-run", f"{result.env_steps:,} steps", as_json, _print, plot, picture)


def _print(result: Result) -> None:
    from rlcalc.training.display import WIDEST, curve

    out, s = Screen(sys.stdout), result.settings
    words = "solved" if result.solved else "not solved" if result.goal is not None else "done"
    if result.failure is not None or (result.signal is not None and not result.solved):
        words = "stopped"
    took = f"in {result.seconds:.1f} s ({result.steps_per_second:,.0f} steps/s, updates included)"
    head = f"{words} after {result.env_steps:,} steps {took}"
    if result.idle:
        head = training.nothing_to_do(result.env_steps, s.planned, "steps")
        head = f"{words} after {result.env_steps:,} steps; nothing to do" if result.solved else head
    out.line(
        f"{s.env}, seed {s.seed}, {result.device}: {head}",
        ANSWER if result.solved else ALARM if result.failure else HEADING,
    )
    if result.mean_return is not None:
        goal = "" if result.goal is None else f"; solved at >= {result.goal:g}"
        out.line(
            f"mean return of {s.evaluation_episodes} evaluation episodes: {result.mean_return:.1f}{goal}"
        )
    if result.idle:
        return
    text = curve(result.history, result.goal, result.evaluations, min(WIDEST, page_width()))
    training.print_rest(out, result, text, result.trained // s.batch)


def _acceptance(options: Options, envs: int | None, as_json: bool) -> None:
    from rlcalc.ppo.run.acceptance import runs, summary

    out, results = training.for_people(as_json), []
    out.line("seed  solved  steps    seconds  mean return", HEADING)
    for result in runs(options, envs=envs):
        results.append(result)
        verdict = "yes" if result.solved else "no"
        value = "none" if result.mean_return is None else f"{result.mean_return:.1f}"
        begun = f"{result.settings.seed:<4}  {verdict:<6}  {result.env_steps:<7,}"
        out.line(f"{begun}  {result.seconds:<7.1f}  {value}", "" if result.solved else ALARM)
        sys.stdout.flush()
        if result.failure is not None or result.signal is not None:
            training.end(result, "ppo-run", f"{result.env_steps:,} steps")
    found = summary(results)
    solved = f"{found['solved']} of {len(results)}"
    steps, clock, value = found["env_steps"], found["seconds"], found["mean_return"]
    out.paragraph(
        f"{solved} solved: "
        f"{steps['mean']:,.0f} ± {steps['spread']:,.0f} steps (most {steps['worst']:,.0f}), "
        f"{clock['mean']:.1f} ± {clock['spread']:.1f} s, "
        f"return {value['mean']:.1f} ± {value['spread']:.1f} (least {value['worst']:.1f})",
        style=ANSWER if found["passed"] else ALARM,
    )
    if as_json:
        write_json(found)
    if not found["passed"]:
        raise CheckFailed("acceptance_failed", f"Only {solved} seeds were solved.")


def _exact(seed: int, as_json: bool) -> None:
    from rlcalc.ppo.check.exact import ALL

    out, found = training.for_people(as_json), []
    for check in ALL.values():
        result = check(seed)
        found.append(result)
        verdict, style = ("passed", ANSWER) if result.passed else ("failed", ALARM)
        out.labelled(verdict, result.name, style)
        out.paragraph(result.detail, "  ", "  ")
        sys.stdout.flush()
    if as_json:
        write_json({"checks": [asdict(result) for result in found]})
    for result in found:
        result.require()


def _sabotage(as_json: bool) -> None:
    from rlcalc.ppo.check.checks import ABOUT
    from rlcalc.ppo.check.sabotage import MUTATIONS, control, detect

    about = {"mini_loop": "the exact loop of section 8.4 is reproduced", **ABOUT}
    found = chain([control()], map(detect, MUTATIONS))
    training.print_detections(found, about, "iteration 0 is before learning; ", as_json)
