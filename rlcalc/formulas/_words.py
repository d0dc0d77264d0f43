"""Words of a user inside a derivation: states and tokens under their own names."""

from __future__ import annotations

from rlcalc.steps.terms import Name

_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{sign: "\\" + sign for sign in "&%$#_{}"},
}  # fmt: skip


def word_name(word: str) -> Name:
    """A word as a name: control characters visible, LaTeX's own signs escaped."""
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in word) or "''"
    return Name(visible, tex=rf"\text{{{''.join(_LATEX.get(c, c) for c in visible)}}}")
