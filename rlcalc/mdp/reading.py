"""What names a decision process -> an ``MDP``, checked over the rationals.

Nothing in a file or a name is ever executed. Built in are

    grid2x2             the 2×2 grid of section 3.4: actions U D L R, bumping stays, +1 on entering the goal
    grid2x2:slip=1/5    with that probability the action is replaced by one of all four, drawn uniformly
    bandit              the two actions of section 4.4: L pays 10, R pays 0, then it is over
    tokens              two tokens out of {3, 4, 5}, reward 1 if and only if the last one is 5

A file has the keys ``P`` ([S][A][S'], numbers as text or integers), ``R``
([S][A], or [S][A][S'], of which the expectation is kept), and optionally
``states``, ``actions`` (names), ``terminal`` (names or indices), ``start``
(name, index or one probability per state) and ``name``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlcalc.errors import InputError, UnknownName, shown, suggestion
from rlcalc.mdp.builtin import BUILT_IN
from rlcalc.mdp.model import MDP
from rlcalc.mdp.tables import from_arrays, from_file, from_table

_KNOWN = f"Built in are {', '.join(BUILT_IN)}; otherwise give the path of a TOML file."


def read_mdp(raw: Any) -> MDP:
    """Read and check an MDP.

    Args:
        raw: a built-in name (``"grid2x2"``, ``"grid2x2:slip=1/5"``), the path
            of a TOML file, a dict with the keys of such a file, a dict of
            arrays (see `rlcalc.mdp.tables.from_arrays`), or an MDP.

    Raises:
        UnknownName: ``mdp_unknown``, ``mdp_unknown_key``.
        InputError: ``mdp_row_not_one``, ``mdp_negative_probability``,
            ``mdp_wrong_shape``, ``mdp_terminal_moves``, ``mdp_key_missing``,
            ``mdp_bad_name``, ``mdp_not_rational``, ``mdp_too_large``,
            ``mdp_file_unreadable``, ``mdp_file_not_toml``, and the
            ``number_...`` codes of the expression grammar.
    """
    if isinstance(raw, MDP):
        return raw
    if isinstance(raw, list | tuple) and len(raw) == 1:
        return read_mdp(raw[0])
    if isinstance(raw, Mapping):
        return from_arrays(raw) if "p" in raw else from_table(raw, "")
    if isinstance(raw, Path):
        return from_file(raw)
    if not isinstance(raw, str):
        raise InputError("mdp_unknown", f"An MDP is a name, a TOML file or a dict, not {shown(raw)}.", _KNOWN)
    name, _, option = raw.partition(":")
    if name in BUILT_IN:
        return BUILT_IN[name](option)
    path = Path(raw)
    if raw.endswith(".toml") or _is_file(path):
        return from_file(path)
    raise UnknownName(
        "mdp_unknown", f"There is no MDP {shown(raw)}.", suggestion(name, list(BUILT_IN)) or _KNOWN
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a text too long for a name
        return False
