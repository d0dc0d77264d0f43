"""The notation of the steps, read back into the grammar of the parser."""

from __future__ import annotations

import re

_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def in_grammar(text: str) -> str:
    """``3·l² − 1`` as ``3*l**2 - 1``."""
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda power: "**" + power[0].translate(_DIGITS), text)
    return text.replace("·", "*").replace("−", "-").replace("^", "**")
