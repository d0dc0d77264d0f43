"""What a reader has to know about how a function was read, as far as its binding alone says it."""

from __future__ import annotations

from collections.abc import Iterator

from rlcalc.conform.binding.families.sequence import WINDOW_VALUE
from rlcalc.conform.binding.families.token_layouts import COLUMNS, SHIFTED
from rlcalc.conform.binding.families.transitions import flag_note
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.words.names import TRANSITIONS
from rlcalc.conform.target.networks import LEAST


def notes_on(binding: Binding, without_flags: bool) -> Iterator[str]:
    """In a sentence each.

    Args:
        without_flags: its flags leave nothing open.
    """
    ends = binding.places_of("done", "mask", "discounts")
    if ends and binding.agreed != "names" and not without_flags:
        about = flag_note if binding.formula in TRANSITIONS else _flag_note
        yield about(binding, ends[0])
    if any(place.startswith(LEAST) for place in binding.outputs.values()):
        yield "judged by what it learns, where its loss is least; how its errors are weighed is not tested"
    if window := binding.places_of(WINDOW_VALUE):
        yield f"{window[0]} is read as the value after n rewards; the answer is the return of step 0"
    if wide := binding.places_of("wide"):
        yield f"{wide[0]} is made so wide that nothing is clipped: --formula value-clip-loss tests the clip"
    if {"ends", "next_values"} <= binding.roles and "terminated" not in binding.roles:
        after = binding.places_of("next_values")[0]
        yield f"{after} is given with 0 after a termination: right where its caller has masked it"
    if binding.layout == COLUMNS:
        yield (
            "of each prompt the first answer comes before the second of any: "
            "a caller with the answers to a prompt one after the other compares different prompts"
        )
    if binding.layout in SHIFTED:
        yield (
            "right where its caller has shifted: row t predicts label t; "
            "a caller who does not asks each row for the token that it has read"
        )


def _flag_note(binding: Binding, path: str) -> str:
    if binding.ends == "observation":
        return (
            f"{path}[t] is read as the flag that came with observation t: right where it is stored so; "
            "a caller who stores the flag of reward t has every episode end one step late"
        )
    return (
        f"{path}[t] is read as the flag that came with reward t; "
        "a caller who stores the flag of observation t has every episode end one step early"
    )
