"""Words of a user inside a derivation: states and tokens under their own names."""

from __future__ import annotations

from rlcalc.steps.printers import latex_words
from rlcalc.steps.terms import Name


def word_name(word: str) -> Name:
    """A word as a name: control characters visible, LaTeX's own signs escaped."""
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in word) or "''"
    return Name(visible, tex=latex_words(visible))
