"""How a message spells a parameter: ``next_values`` to a Python caller, ``--next-values`` at a prompt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_OPTION = re.compile(r"--([a-z][a-z0-9-]*)")
_at_a_prompt: ContextVar[bool] = ContextVar("rlcalc_at_a_prompt", default=False)


def at_a_prompt() -> bool:
    """Whether the person who reads messages types commands."""
    return _at_a_prompt.get()


@contextmanager
def command_line() -> Iterator[None]:
    """Within this block messages speak of options; everywhere else, of parameters."""
    token = _at_a_prompt.set(True)
    try:
        yield
    finally:
        _at_a_prompt.reset(token)


def spelled(name: str) -> str:
    """A parameter's Python name as the reader writes it."""
    return "--" + name.rstrip("_").replace("_", "-") if at_a_prompt() else name


def worded(text: str) -> str:
    """A sentence of a specification, which speaks of options, for the reader at hand."""
    return text if at_a_prompt() else _OPTION.sub(lambda found: found[1].replace("-", "_"), text)
