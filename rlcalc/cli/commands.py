"""The table of commands that are no formulas.

To add one, add a line: its name, the ``module:attribute`` of a
``typer.Typer`` (with one command, which is then called directly, or with
several), the group under which the front page lists it, and one line of help.
The module is imported when that command is called, never to print a list.
Formulas are not listed here: every file in ``specs/formulas`` is a command.
"""

from __future__ import annotations

from typing import NamedTuple


class BuiltIn(NamedTuple):
    """A command that is no formula."""

    target: str
    group: str
    about: str


CHECK, CALCULATE, TRAIN, MAINTAIN = "Check code", "Calculate", "Train", "Maintain"
GROUPS = (CHECK, CALCULATE, TRAIN, MAINTAIN)

BUILT_IN = {
    "conform": BuiltIn(
        "rlcalc.cli.conform:app", CHECK, "Check your function against certified vectors and name its bug."
    ),
    "check": BuiltIn("rlcalc.cli.check:app", CHECK, "Check every function that a project lists."),
    "diff": BuiltIn("rlcalc.cli.diff:app", CHECK, "Find where two functions differ, and which is right."),
    "explain": BuiltIn(
        "rlcalc.cli.explain:app", CHECK, "Explain a known bug: what it does, how it shows, its fix."
    ),
    "peers": BuiltIn("rlcalc.cli.peers:app", CHECK, "Check released libraries, and name the bugs they have."),
    "worksheet": BuiltIn("rlcalc.cli.worksheet:app", CALCULATE, "Print exercises, and their solutions."),
    "find": BuiltIn("rlcalc.cli.find:app", CALCULATE, "Find the command for something."),
    "list": BuiltIn("rlcalc.cli.listing:list_app", CALCULATE, "List all formulas."),
    "show": BuiltIn("rlcalc.cli.listing:show_app", CALCULATE, "Show everything about one formula."),
    "mdp": BuiltIn("rlcalc.cli.mdp:app", CALCULATE, "List, show and check decision processes."),
    "ppo-run": BuiltIn(
        "rlcalc.cli.ppo_run:app", TRAIN, "Train an agent by PPO with these formulas, checking every update."
    ),
    "lm-run": BuiltIn(
        "rlcalc.cli.lm_run:app",
        TRAIN,
        "Train a language model by GRPO, PPO, RLOO or DPO, checking every update.",
    ),
    "audit": BuiltIn("rlcalc.cli.audit:app", MAINTAIN, "Prove or refute every statement of the lecture."),
    "verify": BuiltIn("rlcalc.cli.verify:app", MAINTAIN, "Run the test vectors on every backend."),
    "golden": BuiltIn("rlcalc.cli.golden:app", MAINTAIN, "Certify, check and export the test vectors."),
}
