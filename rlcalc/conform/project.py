"""The checks of a project: ``[tool.rlcalc]`` in its ``pyproject.toml``.

[tool.rlcalc]
random = 100                      # for every check; any key of a check but its target and formula

[[tool.rlcalc.check]]
target = "agent/gae.py:gae"       # from the folder of this file
formula = "gae"
conventions = ["truncation-as-termination"]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlcalc.conform.check import Request
from rlcalc.data import parse_toml
from rlcalc.errors import InputError, shown
from rlcalc.files import read_text
from rlcalc.records import Place, read_record

FILE = "pyproject.toml"
MOST = 10**7
EXAMPLE = '[[tool.rlcalc.check]]\ntarget = "agent.py:gae"\nformula = "gae"'


@dataclass(frozen=True)
class Project:
    """Where the checks stand, and what they are.

    Attributes:
        folder: relative files of the checks are meant from there.
    """

    folder: Path
    requests: tuple[Request, ...]


def find_file(start: Path) -> Path:
    """The nearest ``pyproject.toml``, in a folder or above it.

    Raises:
        InputError: ``project_missing``.
    """
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise InputError("project_missing", f"There is no {FILE} in {start} or above it.", _HINT)


_HINT = "It lists what to check:\n" + EXAMPLE


def read_project(path: Path) -> Project:
    """The checks of a file.

    Raises:
        InputError: ``file_not_read``, ``no_checks``.
        DataError: ``bad_project``: no TOML, an unknown key, a wrong type.
    """
    place = Place(str(path), code="bad_project")
    try:
        document = parse_toml(read_text(path, MOST))
    except ValueError as error:
        place.refuse(f"it is not valid TOML: {error}.")
    tools = document.get("tool", {})
    if not isinstance(tools, Mapping):
        place.at("tool").refuse(f"expected a table, not {shown(tools)}.")
    table = tools.get("rlcalc", {})
    place = place.at("tool", "rlcalc")
    if not isinstance(table, Mapping):
        place.refuse(f"expected a table, not {shown(table)}.")
    shared = {key: value for key, value in table.items() if key != "check"}
    for key in shared:
        if key in ("target", "formula", "exec"):
            place.at(key).refuse("it belongs to one check, below [[tool.rlcalc.check]].")
    checks = table.get("check", [])
    if not isinstance(checks, list):
        place.at("check").refuse("expected [[tool.rlcalc.check]], with two brackets.")
    if not checks:
        raise InputError("no_checks", f"{path} lists no checks.", _HINT)
    return Project(path.parent, tuple(_request(raw, shared, place, n) for n, raw in enumerate(checks, 1)))


def _request(raw: Any, shared: Mapping[str, Any], place: Place, number: int) -> Request:
    at = place.at(f"check {number}")
    if not isinstance(raw, Mapping):
        at.refuse(f"expected a table, not {shown(raw)}.")
    return read_record(Request, {**shared, **raw}, at)
