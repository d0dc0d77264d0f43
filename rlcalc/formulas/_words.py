"""Words inside a derivation: states and tokens under their own names, and remarks that formulas share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rlcalc.exact import compare
from rlcalc.steps import Derivation, Name
from rlcalc.steps.printers import latex_words


def word_name(word: str) -> Name:
    """A word as a name: control characters visible, LaTeX's own signs escaped."""
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in word) or "''"
    return Name(visible, tex=latex_words(visible))


def note_densities(d: Derivation, logs: Sequence[Any]) -> None:
    """Remark on positive logarithms, which densities may have and probabilities may not."""
    if any(compare(value, 0) == 1 for value in logs):
        d.note("A logarithm above 0 belongs to the density of a continuous action; probabilities have none.")
