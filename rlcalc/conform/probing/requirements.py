"""What a function can be required to have: names of capabilities, as ``--require`` and reports have them."""

from __future__ import annotations

from collections.abc import Sequence

from rlcalc.conform.binding.words.names import table
from rlcalc.conform.probing.edges import LOGITS, MASKED_LOGITS, NO_TOKEN, edge, predicts
from rlcalc.conform.probing.probes import PER_STEP
from rlcalc.errors import UnknownName, shown, suggestion
from rlcalc.specs import Formula, Parameter

BATCHES, ONE_STEP, PRECISION, DTYPE = "batches", "sequences of one step", "float64", "dtype"
# most code masks with a factor of 0, which is right while every value is finite: asked for on request alone
AFTER_ENDS = "nan after a terminal step"
INFINITE = "infinite answers"
SEVERAL_GROUPS = "several groups"
LONG_WINDOWS = "windows longer than the sequence"
# what people call the arguments that a formula may have
WORDS = {
    "terminated": "terminations",
    "truncated": "truncation",
    "next_values": "next values",
    "bootstrap": "a bootstrap",
}


def slug(name: str) -> str:
    """A capability as an option has it."""
    return name.replace(" ", "-").replace("_", "-").lower().removeprefix("a-")


def requirements(formula: Formula, names: Sequence[str]) -> frozenset[str]:
    """Capabilities by the names that ``--require`` has for them; commas and several names are alike.

    Raises:
        UnknownName: ``unknown_requirement``.
    """
    known = {slug(name): name for name in (BATCHES, PRECISION, "float32", DTYPE, ONE_STEP, INFINITE)}
    if "logits" in formula.names or table(formula.name).keys() & LOGITS:
        known[slug(MASKED_LOGITS)] = MASKED_LOGITS
    if has_windows(formula):
        known[slug(LONG_WINDOWS)] = LONG_WINDOWS
    for p in formula.parameters:
        if p.each:
            known[slug(per_step_name(p))] = per_step_name(p)
        for choice in p.choices:
            known[slug(choice_name(p, choice))] = choice_name(p, choice)
        if not p.required:
            known[slug(p.name)] = known[slug(word(p.name))] = word(p.name)
    if predicts(formula):
        known[slug(NO_TOKEN)] = NO_TOKEN
    if any(p.name == "groups" and p.shape == ("N",) for p in formula.parameters):
        known[slug(SEVERAL_GROUPS)] = SEVERAL_GROUPS
    if edge(formula):
        known[slug(edge(formula))] = edge(formula)
    if {"terminated", "next_values"} <= formula.names:
        known[slug(AFTER_ENDS)] = AFTER_ENDS
    found = set()
    for text in (part.strip() for name in names for part in name.split(",")):
        if text and slug(text) not in known:
            hint = suggestion(slug(text), list(known)) or f"There are {', '.join(known)}."
            raise UnknownName("unknown_requirement", f"{formula.name} has no capability {shown(text)}.", hint)
        if text:
            found.add(known[slug(text)])
    return frozenset(found)


def has_windows(formula: Formula) -> bool:
    """Whether its n counts steps of a window of a sequence."""
    return "sequence" in formula.traits and "n" in formula.names


def word(name: str) -> str:
    return WORDS.get(name, name)


def choice_name(p: Parameter, choice: str) -> str:
    return f"{p.name} {choice}"


def per_step_name(p: Parameter) -> str:
    return PER_STEP.get(p.name, f"per-step {p.name}")
