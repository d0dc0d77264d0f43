"""What the commands that train have in common: options, what stands in the terminal, and how they end."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import typer

from rlcalc.cli.screen import ALARM, ANSWER, FAINT, HEADING, Screen, write_json
from rlcalc.errors import CheckFailed, InputError, many

if TYPE_CHECKING:
    from rlcalc.training.checkpoint import Format
    from rlcalc.training.display import Lines, Quantities
    from rlcalc.training.mutation import Detection
    from rlcalc.training.run import Progress, Result

Modes = Mapping[str, Sequence[str]]

DEVICE = typer.Option("auto", "--device", metavar="NAME", help="auto, cpu, cuda or mps.")
# the second name is for torchrun, which takes the first for one of its own, cut short
LOG = typer.Option(None, "--log", "--log-file", metavar="FILE", help="Add one JSON line per iteration.")
FOLDER = typer.Option(
    None, "--checkpoint", metavar="DIR", help="Save there every ten iterations, and at the end."
)
RESUME = typer.Option(False, "--resume", help="Resume from --checkpoint.")
CHECKS = typer.Option(True, "--checks/--no-checks", help="Check every update.")
SABOTAGE = typer.Option(
    False, "--sabotage", help="Mutation test: add one bug at a time and show which check detects it."
)
AS_JSON = typer.Option(False, "--json", help="Print the result as JSON.")


def given_options(ctx: typer.Context) -> list[str]:
    """The options that stand on the command line, by their first names."""
    return [
        parameter.opts[0]
        for parameter in ctx.command.params
        if getattr(ctx.get_parameter_source(str(parameter.name)), "name", "") == "COMMANDLINE"
    ]


def check_mode(given: list[str], modes_of: Modes) -> None:
    """Refuse an option that would be without effect.

    Raises:
        InputError: ``modes_together``, ``option_without_effect``.
    """
    modes = [mode for mode in modes_of if mode in given]
    if len(modes) > 1:
        raise InputError("modes_together", f"{' and '.join(modes)} are different commands; give one of them.")
    for mode in modes:
        for option in given:
            if option != mode and option not in modes_of[mode]:
                raise InputError(
                    "option_without_effect",
                    f"{mode} does not take {option}.",
                    f"Leave one of them out; {mode} takes {', '.join(modes_of[mode])}.",
                )


def as_saved(form: Format, folder: Path | None, given: list[str], typed: Mapping[str, Any]) -> Any:
    """The settings of the checkpoint in a folder; an option that says otherwise is an error.

    Args:
        given: the options that were typed. typed: their values, by the names of settings.

    Raises:
        InputError: ``resume_from_where``, ``resume_other_...``; as `Format.read`.
    """
    if folder is None:
        raise InputError("resume_from_where", "--resume needs --checkpoint DIR, to say from where.")
    saved = form.read(folder).settings
    for name, value in typed.items():
        if f"--{name}" in given and value != getattr(saved, name):
            raise InputError(
                f"resume_other_{name}",
                f"The checkpoint is of --{name} {getattr(saved, name)}, not {value}.",
                f"Leave out --{name}, or name another folder.",
            )
    return saved


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Torch makes a million objects that stay: looking for garbage among them is a tenth of its import."""
    import gc

    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def watching(quantities: Quantities, value: Callable[[Progress], float | None]) -> Iterator[Lines]:
    """What to show progress with: a panel on a terminal, else lines; nothing else gets into the result."""
    from rlcalc.training.display import Lines, Live

    screen = Screen(sys.stderr)
    panel = (Live if screen.terminal and screen.colour else Lines)(sys.stderr, quantities, value)
    # what an environment prints must not stand in the result
    with panel as show, contextlib.redirect_stdout(sys.stderr), _warnings_as_notes():
        yield show


@contextlib.contextmanager
def _warnings_as_notes() -> Iterator[None]:
    """Gymnasium colours its warnings, on a terminal or not."""
    before = warnings.showwarning

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        Screen(sys.stderr).note(re.sub("\x1b\\[[0-9;]*m", "", str(message)))

    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


def conclude(
    result: Any,
    command: str,
    done: str,
    as_json: bool,
    for_people: Callable[[Any], None],
    plot: str | None,
    picture: Callable[[Path, Any], None],
) -> None:
    """What a run ends with: its result, a picture, and what went wrong.

    Args:
        result: with ``as_json``. done: how far it came. for_people: prints it.
        plot: the file of the ``picture``, if there is to be one.
    """
    if not result.writes:  # another rank speaks, but for what went wrong here
        if result.failure is not None:
            raise result.failure
        raise typer.Exit(exit_code(result))
    if as_json:
        write_json(result.as_json())
    else:
        for_people(result)
    sys.stdout.flush()
    if plot is not None:
        picture(Path(plot), result)
    end(result, command, done)


def print_rest(out: Screen, result: Result, curve: str, updates: int) -> None:
    """The curve of a run, and what its checks came to."""
    if curve:
        out.line()
        out.block(curve)
    if result.checks:
        passed = sum(check["passed"] for check in result.checks)
        out.line()
        out.line(f"{passed} of {len(result.checks)} checks passed on {many(updates, 'update')}", FAINT)


def end(result: Result, command: str, done: str) -> None:
    """Say what went wrong, and end with the code for it.

    Args:
        done: how far the run came, for one that was interrupted.
    """
    screen, problems = Screen(sys.stderr), list(result.problems.values())
    if result.failure is not None:
        problems.append(result.failure)
    for problem in problems[:-1]:
        screen.note(str(problem))
    if result.saved is not None:
        screen.note(
            f"interrupted after {done}; saved. "
            f"Resume with: rlcalc {command} --checkpoint {quote(str(result.saved))} --resume"
        )
    if problems:
        raise problems[-1]
    raise typer.Exit(exit_code(result))


def exit_code(result: Result) -> int:
    if result.failure is not None:
        return 1
    return 0 if result.signal is None else 128 + result.signal


def nothing_to_do(done: int, asked: int, what: str) -> str:
    """What a run says that goes on from a checkpoint at which all was done."""
    if done > asked:
        return f"nothing to do: {done:,} {what} are done, and --steps asks for {asked:,}"
    return f"nothing to do: {done:,} of {asked:,} {what} are done"


def for_people(as_json: bool) -> Screen:
    """Where lines are printed as they come: nowhere, where the result is JSON."""
    return Screen(io.StringIO() if as_json else sys.stdout)


def print_detections(
    found: Iterable[Detection], about: Mapping[str, str], remark: str, as_json: bool
) -> None:
    """The table of a mutation test as its rows come, the control first, and what the checks in it say.

    Raises:
        CheckFailed: ``sabotage_missed``.
    """
    out, rows = for_people(as_json), []
    out.line(f"{'bug':<23}{'iteration':<11}detected by", HEADING)
    for detection in found:
        rows.append(detection)
        head = f"{detection.name:<23}{detection.iteration:<11}"
        text = ", ".join(detection.caught_by) or "nothing"
        out.paragraph(head + text, "", " " * len(head), "" if detection.right else ALARM)
        sys.stdout.flush()
    wrong = [detection.name for detection in rows if not detection.right]
    caught = sum(detection.right for detection in rows[1:])
    out.line(f"{caught} of {len(rows) - 1} bugs detected", ALARM if wrong else ANSWER)
    out.line()
    out.line(f"{remark}what the checks say:", FAINT)
    used = {name for detection in rows for name in detection.caught_by}
    for name, text in about.items():
        if name in used:
            out.paragraph(f"  {name:<17}{text}", "", " " * 19, FAINT)
    if as_json:
        write_json({"passed": not wrong, "faults": [asdict(detection) for detection in rows]})
    if wrong:
        raise CheckFailed("sabotage_missed", f"Not as it should be: {', '.join(wrong)}.")
