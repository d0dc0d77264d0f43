"""What names a decision process -> an ``MDP``, checked over the rationals.

Nothing in a file or a name is ever executed. A process is

    racing, gambler:goal=8,p=2/5      one of those built in
    'A go -> B 1/2 5; ...'            one transition a line or before a semicolon (``rlcalc.mdp.lines``)
    FILE                              that format, a TOML file, or a table of Gymnasium as JSON
    gym:FrozenLake-v1                 a game of Gymnasium that has a table

A TOML file has the keys ``P`` ([S][A][S'], numbers as text or integers; an
empty row for an action that a state does not have), ``R`` ([S][A], or
[S][A][S'], of which the expectation is kept), and optionally ``states``,
``actions`` (names), ``terminal`` (names or indices), ``start`` (name, index or
one probability per state) and ``name``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlcalc.errors import DataError, InputError, UnknownName, shown, suggestion
from rlcalc.files import read_text
from rlcalc.mdp.builtin import BUILT_IN, built_in
from rlcalc.mdp.gymnasium import from_game, from_transitions, is_table
from rlcalc.mdp.lines import from_lines, is_lines
from rlcalc.mdp.model import MDP
from rlcalc.mdp.tables import from_arrays, from_table, from_toml

MAX_FILE = 32_000_000  # bytes
_FILE_CODES = {
    "file_unreadable": "mdp_file_unreadable",
    "file_too_long": "mdp_too_large",
    "file_not_text": "mdp_file_not_toml",
}
_KNOWN = (
    f"Built in are {', '.join(BUILT_IN)}; otherwise give a file, or lines such as 'A go -> B 1/2 5; ...'."
)


def read_mdp(raw: Any, symbols: bool = False) -> MDP:
    """Read and check an MDP.

    Args:
        raw: a built-in name (``"grid2x2"``, ``"robot:alpha=1/2"``), transitions
            as text, the path of a file, ``"gym:NAME"``, a table of Gymnasium,
            a dict with the keys of a TOML file, a dict of arrays (see
            `rlcalc.mdp.tables.from_arrays`), or an MDP.
        symbols: whether letters may stand in probabilities and rewards.

    Raises:
        UnknownName: ``mdp_unknown``, ``mdp_unknown_key``, ``mdp_unknown_state``.
        InputError: ``mdp_row_not_one``, ``mdp_negative_probability``,
            ``mdp_wrong_shape``, ``mdp_terminal_moves``, ``mdp_key_missing``,
            ``mdp_bad_name``, ``mdp_bad_line``, ``mdp_no_actions``,
            ``mdp_not_rational``, ``mdp_too_large``, ``mdp_file_unreadable``,
            ``mdp_file_not_toml``, ``mdp_file_not_json``, and the
            ``number_...`` codes of the expression grammar.
    """
    if isinstance(raw, MDP):
        return raw
    if isinstance(raw, list | tuple) and len(raw) == 1:
        return read_mdp(raw[0], symbols)
    if isinstance(raw, Mapping):
        return _from_dict(raw)
    if isinstance(raw, Path):
        return _from_file(raw, symbols)
    if not isinstance(raw, str):
        raise InputError(
            "mdp_unknown", f"An MDP is a name, a file, a text or a dict, not {shown(raw)}.", _KNOWN
        )
    return _from_text(raw, symbols)


# each reader is imported by the first process that is written in its way


def _from_dict(raw: Mapping[Any, Any]) -> MDP:
    if "p" in raw:
        return from_arrays(raw)
    return from_transitions(raw, "") if is_table(raw) else from_table(raw, "")


def _from_text(raw: str, symbols: bool) -> MDP:
    name, _, option = raw.partition(":")
    if name in BUILT_IN:
        return built_in(name, option, symbols)
    if name == "gym":
        return from_game(option)
    if is_lines(raw):
        return from_lines(raw, symbols=symbols)
    if raw.lstrip().startswith("{"):
        return from_json(raw, "")
    path = Path(raw)
    if raw.endswith((".toml", ".json", ".mdp", ".txt")) or _is_file(path):
        return _from_file(path, symbols)
    raise UnknownName(
        "mdp_unknown", f"There is no MDP {shown(raw)}.", suggestion(name, list(BUILT_IN)) or _KNOWN
    )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a text too long for a name, or one that no file can have
        return False


def _from_file(path: Path, symbols: bool) -> MDP:
    try:
        text = read_text(path, MAX_FILE)
    except DataError as error:
        raise InputError(_FILE_CODES[error.code], error.message, error.hint) from error
    if path.suffix == ".json" or text.lstrip().startswith("{"):
        return from_json(text, str(path))
    if path.suffix != ".toml" and is_lines(text):
        return from_lines(text, str(path), symbols)
    return from_toml(text, path)


def from_json(text: str, label: str) -> MDP:
    """A table of Gymnasium, or the keys of a TOML file, as JSON.

    Raises:
        InputError: ``mdp_file_not_json``, ``mdp_wrong_shape``.
    """
    where = shown(label) if label else "the text"
    try:
        # a decimal number keeps its digits as text: 0.1 is 1/10 and nothing else
        found = json.loads(text, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise InputError("mdp_file_not_json", f"{where} is not valid JSON: {error}.") from error
    if isinstance(found, Mapping) and {"P", "R"} & found.keys():
        return from_table(found, label)
    if not is_table(found):
        raise InputError(
            "mdp_wrong_shape",
            f"{where} is no table of transitions.",
            "Write {state: {action: [[probability, next state, reward, done], ...]}}, or the keys P and R.",
        )
    return from_transitions(found, label)
