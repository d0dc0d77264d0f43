"""``rlcalc mdp``: the decision processes that are built in, and what was understood of one's own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from rlcalc.cli.command import Command, Group
from rlcalc.cli.screen import FAINT, HEADING, Screen, write_json

if TYPE_CHECKING:
    from rlcalc.mdp.model import MDP

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    cls=Group,
    help="List the built-in decision processes, and show or check one.",
    epilog="rlcalc mdp list\nrlcalc mdp show racing",
)
MOST_LINES = 60  # transitions at a terminal


@app.command("list", cls=Command, epilog="rlcalc mdp list")
def list_all(as_json: bool = typer.Option(False, "--json", help="Print it as JSON.")) -> None:
    """List the built-in processes with their options.

    Each goes where a command takes --mdp, alone (racing) or with options
    after a colon (robot:alpha=1/2,beta=1/3).
    """
    from rlcalc.mdp.builtin import BUILT_IN

    if as_json:
        write_json([{"name": k, "options": dict(v.options), "about": v.about} for k, v in BUILT_IN.items()])
        return
    screen = Screen(sys.stdout)
    wide = max(map(len, BUILT_IN)) + 2
    for name, entry in BUILT_IN.items():
        options = f" Options: {entry.example}." if entry.options else ""
        screen.paragraph(f"{entry.about}{options}", f"{name:{wide}}", " " * wide)


@app.command(cls=Command, epilog="rlcalc mdp show racing\nrlcalc mdp show grid5x5 --all")
def show(
    name: str = typer.Argument(..., metavar="MDP", help="As for --mdp: a name, a file, @- or transitions."),
    plot: str = typer.Option(None, "--plot", metavar="FILE", help="Save a plot: .png, .svg or .pdf."),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
    everything: bool = typer.Option(False, "--all", help="Shorten nothing."),
) -> None:
    """Show a process: its states, actions and transitions."""
    _show(name, plot, as_json, everything)


@app.command(cls=Command, epilog="rlcalc mdp check 'A go -> B 1/2 5; A go -> A 1/2; terminal: B'")
def check(
    name: str = typer.Argument(..., metavar="MDP", help="As for --mdp: a file, @- or transitions."),
    plot: str = typer.Option(None, "--plot", metavar="FILE", help="Save a plot: .png, .svg or .pdf."),
    as_json: bool = typer.Option(False, "--json", help="Print it as JSON."),
    everything: bool = typer.Option(False, "--all", help="Shorten nothing."),
) -> None:
    """Read a process, say what was understood, and what to look out for.

    Exit code 2 where it cannot be read, with the line and how to fix it.
    """
    made = _show(name, plot, as_json, everything)
    for text in remarks(made):
        Screen(sys.stderr).note(text)


def remarks(mdp: MDP) -> list[str]:
    """What may be meant otherwise: no end, states that are never reached."""
    found = []
    way_out = mdp.proper_policy()
    stuck = [mdp.states[s] for s in mdp.non_terminal if way_out[s] is None]
    if not any(mdp.terminal):
        found.append("No state is terminal: values need a discount below 1.")
    elif stuck:
        found.append(f"No policy surely ends from {', '.join(stuck[:6])}{' …' * (len(stuck) > 6)}.")
    reached = {s for s, chance in enumerate(mdp.start) if chance}
    layer = set(reached)
    while layer:
        layer = {t for s in layer for a in mdp.available(s) for t in mdp.successors(s, a)} - reached
        reached |= layer
    lost = [state for s, state in enumerate(mdp.states) if s not in reached]
    if lost:
        found.append(f"Never reached from the start: {', '.join(lost[:6])}{' …' * (len(lost) > 6)}.")
    return found


def _show(name: str, plot: str | None, as_json: bool, everything: bool) -> MDP:
    from rlcalc.cli.input_files import Reader
    from rlcalc.mdp.reading import read_mdp
    from rlcalc.plotting import check_file

    if plot is not None:
        check_file(plot)
    mdp = read_mdp(Reader(True).process(name), symbols=True)
    if plot is not None:
        from rlcalc.cli.process_plots import draw_process

        Screen(sys.stderr).note(draw_process(mdp, plot))
    if as_json:
        write_json(_document(mdp))
    else:
        _print(mdp, everything)
    return mdp


def _document(mdp: MDP) -> dict[str, Any]:
    from rlcalc.exact import to_text

    return {
        "mdp": mdp.label,
        "states": list(mdp.states),
        "actions": list(mdp.actions),
        "terminal": [state for state, over in zip(mdp.states, mdp.terminal, strict=True) if over],
        "start": {state: to_text(p) for state, p in zip(mdp.states, mdp.start, strict=True) if p},
        "gamma": None if mdp.gamma is None else to_text(mdp.gamma),
        "transitions": [
            {
                "state": mdp.states[s],
                "action": mdp.actions[a],
                "reward": to_text(mdp.r[s][a]),
                "next": {mdp.states[t]: to_text(chance) for t, chance in mdp.moves[s][a] or ()},
            }
            for s in mdp.non_terminal
            for a in mdp.available(s)
        ],
    }


def _print(mdp: MDP, everything: bool) -> None:
    from rlcalc.cli.grid_view import END, cells
    from rlcalc.exact import to_unicode

    screen = Screen(sys.stdout)
    screen.line(mdp.label, HEADING)
    live = [mdp.states[s] for s in mdp.non_terminal]
    over = [state for state, ends in zip(mdp.states, mdp.terminal, strict=True) if ends]
    starts = [(state, p) for state, p in zip(mdp.states, mdp.start, strict=True) if p]
    facts = {
        f"{len(live)} {'state' if len(live) == 1 else 'states'}": ", ".join(live),
        f"{len(over)} terminal": ", ".join(over),
        f"{len(mdp.actions)} {'action' if len(mdp.actions) == 1 else 'actions'}": ", ".join(mdp.actions),
        "start": ", ".join(state if p == 1 else f"{state} ({to_unicode(p)})" for state, p in starts),
        "gamma": "not said" if mdp.gamma is None else to_unicode(mdp.gamma),
    }
    for key, text in facts.items():
        screen.paragraph(text or "none", f"  {key:12}  ", " " * 16)
    if mdp.places:
        screen.line()
        marks = [END if over else "S" if mdp.start[s] == 1 else "·" for s, over in enumerate(mdp.terminal)]
        screen.lines(cells(mdp, marks))
    screen.line()
    lines = list(_transitions(mdp))
    kept = lines if everything or not screen.terminal else lines[:MOST_LINES]
    screen.lines(kept)
    if len(kept) < len(lines):
        screen.line(f"  … {len(lines) - len(kept)} more; --all prints them", FAINT)


def _transitions(mdp: MDP) -> list[str]:
    """One line for each pair of state and action: expected reward and successors."""
    from rlcalc.exact import to_unicode

    pairs = [(s, a) for s in mdp.non_terminal for a in mdp.available(s)]
    wide = [
        max((len(names[k]) for k in {pair[at] for pair in pairs}), default=0)
        for at, names in enumerate((mdp.states, mdp.actions))
    ]
    rewards = {(s, a): to_unicode(mdp.r[s][a]) for s, a in pairs}
    most = max(map(len, rewards.values()), default=0)
    return [
        f"  {mdp.states[s]:{wide[0]}}  {mdp.actions[a]:{wide[1]}}  reward {rewards[s, a]:{most}}  -> "
        + ", ".join(
            mdp.states[t] if chance == 1 else f"{mdp.states[t]} {to_unicode(chance)}"
            for t, chance in mdp.moves[s][a] or ()
        )
        for s, a in pairs
    ]
