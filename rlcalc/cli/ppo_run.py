"""``rlcalc ppo-run``: train an agent with the verified formulas, end to end."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rlcalc.cli.command import Command
from rlcalc.cli.screen import ALARM, ANSWER, FAINT, HEADING, Screen
from rlcalc.errors import CheckFailed, InputError

if TYPE_CHECKING:
    from rlcalc.ppo.run.run import Options, Result
    from rlcalc.ppo.settings import Settings

EXAMPLES = """
rlcalc ppo-run --env bandit --steps 2048  # seconds, with every check
rlcalc ppo-run --plot curve.png  # CartPole, and its learning curve
rlcalc ppo-run --checkpoint run --resume  # go on
"""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(cls=Command, epilog=EXAMPLES)
def ppo_run(
    env: str = typer.Option("cartpole", "--env", help="cartpole, bandit, grid2x2, tokens or gym:NAME."),
    seed: int = typer.Option(0, "--seed", help="Of the network, the actions and the environments.", min=0),
    device: str = typer.Option("auto", "--device", help="auto, cpu, cuda or mps."),
    envs: int = typer.Option(None, "--envs", help="Copies of the environment.", min=1),
    steps: int = typer.Option(None, "--steps", help="Most steps, over all copies together.", min=1),
    plot: Path = typer.Option(None, "--plot", metavar="FILE", help="Draw the learning curve."),  # noqa: B008
    log: Path = typer.Option(  # noqa: B008
        # the second name is for torchrun, which takes the first for one of its own, cut short
        None,
        "--log",
        "--log-file",
        metavar="FILE",
        help="One JSON line per iteration.",
    ),
    folder: Path = typer.Option(  # noqa: B008
        None, "--checkpoint", metavar="DIR", help="Save there every ten iterations, and at the end."
    ),
    resume: bool = typer.Option(False, "--resume", help="Go on from --checkpoint."),
    checks: bool = typer.Option(True, "--checks/--no-checks", help="Check every update."),
    eager: bool = typer.Option(
        False, "--eager", help="On a GPU, launch every kernel instead of replaying a recorded iteration."
    ),
    acceptance: bool = typer.Option(
        False, "--acceptance", help="CartPole on seeds 0 to 4, all solved or exit 1."
    ),
    exact: bool = typer.Option(False, "--exact", help="Only the exact checks that need no long training."),
    sabotage: bool = typer.Option(
        False, "--sabotage", help="Break one formula at a time and show which check catches it."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the result as JSON."),
) -> None:
    """Train an agent by PPO with the verified formulas, checking every update.

    Under torchrun the ranks share the work. Exit code 1 when a check fails, 130 when interrupted.
    """
    modes = [
        name
        for name, on in (("--acceptance", acceptance), ("--exact", exact), ("--sabotage", sabotage))
        if on
    ]
    if len(modes) > 1:
        raise InputError("modes_together", f"{' and '.join(modes)} are different commands; give one of them.")
    with _importing():
        from rlcalc.ppo.run.run import Options, one_thread
    if exact or sabotage:
        with one_thread():
            _exact(as_json) if exact else _sabotage(as_json)
        return
    from rlcalc.ppo.settings import tuned

    if acceptance:
        _acceptance(Options(device=device, checks=checks, capture=not eager), envs, as_json)
        return
    options = Options(device=device, checks=checks, capture=not eager, folder=folder, resume=resume, log=log)
    if resume:
        settings = _as_saved(folder, {"env": env, "seed": seed, "envs": envs}, steps)
    else:
        settings = tuned(env, seed=seed, envs=envs, steps=steps)
    _one(settings, options, plot, as_json)


@contextlib.contextmanager
def _importing() -> Iterator[None]:
    """Torch makes a million objects that stay: looking for garbage among them is a tenth of its import."""
    import gc

    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _as_saved(folder: Path | None, given: dict[str, Any], steps: int | None) -> Settings:
    """The settings of a checkpoint; an option that says otherwise is an error.

    Raises:
        InputError: ``resume_from_where``, ``resume_other_...``.
    """
    if folder is None:
        raise InputError("resume_from_where", "--resume needs --checkpoint DIR, to say from where.")
    from rlcalc.ppo.run.checkpoint import load
    from rlcalc.ppo.settings import from_mapping

    saved = load(folder)["settings"]
    typed = _typed()
    for name, value in given.items():
        if name in typed and value != saved[name]:
            raise InputError(
                f"resume_other_{name}",
                f"The checkpoint is of --{name} {saved[name]}, not {value}.",
                f"Leave out --{name}, or name another folder.",
            )
    return from_mapping({**saved, "steps": steps or saved["steps"]})


def _typed() -> set[str]:
    """The options of this command line, by the words."""
    return {word.lstrip("-").partition("=")[0] for word in sys.argv[1:] if word.startswith("--")}


def _one(settings: Settings, options: Options, plot: Path | None, as_json: bool) -> None:
    from rlcalc.ppo.run.display import Lines, Live, picture
    from rlcalc.ppo.run.run import run

    screen = Screen(sys.stderr)
    with (Live if screen.colour else Lines)(sys.stderr, settings) as show:
        result = run(settings, options, show)
    if not result.writes:  # another rank speaks, but for what went wrong here
        if result.failure is not None:
            raise result.failure
        raise typer.Exit(_code(result))
    if plot is not None and result.history:
        picture(plot, result)
    if as_json:
        print(json.dumps(result.as_json(), ensure_ascii=False, allow_nan=False, indent=2))
    else:
        _print(result)
    if result.failure is not None:
        raise result.failure
    if result.saved is not None:
        screen.note(
            f"interrupted after {result.env_steps:,} steps; saved. "
            f"Go on with: rlcalc ppo-run --checkpoint {result.saved} --resume"
        )
    raise typer.Exit(_code(result))


def _code(result: Result) -> int:
    return 1 if result.failure is not None else 130 if result.saved is not None else 0


def _print(result: Result) -> None:
    from rlcalc.ppo.run.display import curve

    out, s = Screen(sys.stdout), result.settings
    words = "solved" if result.solved else "stopped" if result.failure or result.saved else "not solved"
    if result.goal is None and not result.failure and not result.saved:
        words = "done"
    took = f"in {result.seconds:.1f} s ({result.steps_per_second:,.0f} steps a second, updates included)"
    if result.trained == 0 and not result.failure:
        took = "before; nothing was left to do"
    out.line(
        f"{s.env}, seed {s.seed}, {result.device}: {words} after {result.env_steps:,} steps {took}",
        ANSWER if result.solved else ALARM if result.failure else HEADING,
    )
    if result.mean_return is not None:
        goal = "" if result.goal is None else f"; solved from {result.goal:g} on"
        out.line(
            f"mean return of {s.evaluation_episodes} evaluation episodes: {result.mean_return:.1f}{goal}"
        )
    text = curve(result.history, result.goal)
    if text:
        out.line()
        out.block(text)
    if result.checks:
        failed = [check["name"] for check in result.checks if not check["passed"]]
        passed = len(result.checks) - len(failed)
        out.line()
        updates = f"{result.iterations} update{'s' * (result.iterations != 1)}"
        out.line(f"checks: {passed} of {len(result.checks)} held on {updates}", FAINT)


def _acceptance(options: Options, envs: int | None, as_json: bool) -> None:
    from rlcalc.ppo.run.acceptance import runs, summary

    out, results = Screen(sys.stdout), []
    if not as_json:
        out.line("seed  solved  steps    seconds  mean return", HEADING)
    for result in runs(options, envs=envs):
        results.append(result)
        if not as_json:
            verdict = "yes" if result.solved else "no"
            value = "none" if result.mean_return is None else f"{result.mean_return:.1f}"
            out.line(
                f"{result.settings.seed:<4}  {verdict:<6}  {result.env_steps:<7,}  "
                f"{result.seconds:<7.1f}  {value}",
                "" if result.solved else ALARM,
            )
            sys.stdout.flush()
        if result.failure is not None:
            raise result.failure
        if result.saved is not None:
            raise typer.Exit(130)
    found = summary(results)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, allow_nan=False, indent=2))
    else:
        steps, clock, value = found["env_steps"], found["seconds"], found["mean_return"]
        out.line(
            f"{found['solved']} of {len(results)} solved: "
            f"{steps['mean']:,.0f} ± {steps['spread']:,.0f} steps (most {steps['worst']:,.0f}), "
            f"{clock['mean']:.1f} ± {clock['spread']:.1f} s, "
            f"return {value['mean']:.1f} ± {value['spread']:.1f} (least {value['worst']:.1f})",
            ANSWER if found["passed"] else ALARM,
        )
    if not found["passed"]:
        raise CheckFailed("acceptance_failed", f"Only {found['solved']} of {len(results)} seeds were solved.")


def _exact(as_json: bool) -> None:
    from rlcalc.ppo.check.exact import ALL

    out, findings = Screen(sys.stdout), []
    for check in ALL.values():
        finding = check()
        findings.append(finding)
        if not as_json:
            out.labelled(
                "passed" if finding.passed else "failed",
                f"{finding.name}: {finding.detail}",
                ANSWER if finding.passed else ALARM,
            )
            sys.stdout.flush()
    if as_json:
        table = [{"name": f.name, "passed": f.passed, "worst": f.worst, "detail": f.detail} for f in findings]
        print(json.dumps({"checks": table}, ensure_ascii=False, allow_nan=False, indent=2))
    for finding in findings:
        finding.require()


def _sabotage(as_json: bool) -> None:
    from rlcalc.ppo.check.sabotage import FAULTS, catch, control

    out, caught = Screen(sys.stdout), []
    if not as_json:
        out.line(f"{'fault':<26} {'caught by':<60} iteration", HEADING)
    for outcome in (control(), *(catch(fault) for fault in FAULTS)):
        caught.append(outcome)
        if not as_json:
            by = ", ".join(outcome.caught_by) or "nothing"
            out.line(f"{outcome.name:<26} {by:<60} {outcome.iteration}", "" if outcome.right else ALARM)
            sys.stdout.flush()
    wrong = [outcome.name for outcome in caught if not outcome.right]
    if as_json:
        table = [
            {
                "name": o.name,
                "about": o.about,
                "caught_by": list(o.caught_by),
                "iteration": o.iteration,
                "right": o.right,
            }
            for o in caught
        ]
        print(json.dumps({"passed": not wrong, "faults": table}, ensure_ascii=False, indent=2))
    else:
        out.line(
            f"{len(caught) - 1 - len(wrong)} of {len(caught) - 1} faults caught", ALARM if wrong else ANSWER
        )
    if wrong:
        raise CheckFailed("sabotage_missed", f"Not as it should be: {', '.join(wrong)}.")
