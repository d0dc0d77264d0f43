"""Which formula the name of a function, or of its class, says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from rlcalc.conform.binding.words.spelling import spellings
from rlcalc.data import data_folder, read_toml
from rlcalc.specs import formula_names

# of the tables of formulas of tokens the one that no formula is called after
SHARED_WORDS = "shared"
# methods of layers, whose class is called after what they compute
OF_LAYERS = ("forward", "__call__")
# losses of actors and critics that other algorithms have under the same names
_LOSS = re.compile(r"(actor|policy|pi|value|v|alpha|temperature|entropy)_?loss")
_OF_OTHERS = re.compile(
    r"(^|[_.])(sac|soft_?actor|ddpg|td3|iql|cql|awac|awr|marwil|crr|mpo|redq)", re.IGNORECASE
)


@cache
def aliases() -> Mapping[str, Any]:
    """The file of names, read once: every target asks for it several times."""
    return read_toml(data_folder("specs") / "aliases.toml")


def hints(formula: str) -> tuple[str, ...]:
    """What a function's name may hold that may be this formula, as regular expressions."""
    return tuple(aliases()["hints"].get(formula, ()))


@cache
def named_by(name: str) -> str:
    """The formula that a function's name says; empty where it says none."""
    owner, _, words = name.rpartition(":")[2].rpartition(".")
    if any(_LOSS.search(one) and _OF_OTHERS.search(f"{owner}_{one}") for one in spellings(words)):
        return ""  # what it loses is no formula here, whatever a loss of that name is elsewhere
    if words in OF_LAYERS:
        words = owner.rpartition(".")[2]
    return _named_so(words)


def of_class(name: str) -> str:
    """The formula that the class of a method is called after; empty for a function, and for none."""
    owner = name.rpartition(":")[2].rpartition(".")[0].rpartition(".")[2]
    return _named_so(owner) if owner else ""


def _named_so(name: str) -> str:
    words = spellings(name)
    for word in words:
        if word in aliases()["tokens"] and word != SHARED_WORDS:
            return word
    for formula, patterns in aliases()["functions"].items():
        if any(re.search(pattern, word) for pattern in patterns for word in words):
            return str(formula)
    return next((word for word in words if word in formula_names()), "")
