"""The heavy libraries, imported when a name of theirs is first used.

``from rlcalc._lazy import np, sympy, torch`` at the top of a module costs
nothing until the first attribute is asked for; from then on a proxy holds
the library's names itself. What an extra brings and is not installed is
refused with the line that installs it.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rlcalc.errors import InputError

__all__ = ["np", "sympy", "torch"]


class _Lazy(ModuleType):
    """A module that imports itself at the first look at one of its names."""

    def __init__(self, name: str, extra: str = "") -> None:
        super().__init__(name)
        self.__dict__["_extra"] = extra

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            # asked by inspection (doctest, pickle); no reason to import anything
            raise AttributeError(name)
        try:
            module = import_module(self.__name__)
        except ModuleNotFoundError as error:
            if not self._extra or error.name != self.__name__:
                raise
            raise missing(self.__name__, self._extra) from None
        for known, value in vars(module).items():
            self.__dict__.setdefault(known, value)
        return getattr(module, name)  # also what the library itself imports late


def missing(library: str, extra: str) -> InputError:
    """The refusal of what needs a library that is not installed."""
    return InputError(
        f"{library}_not_installed",
        f"This needs {library}, which is not installed.",
        f"pip install 'rlcalc[{extra}]'",
    )


if TYPE_CHECKING:
    import numpy as np
    import sympy
    import torch
else:
    np = _Lazy("numpy")
    sympy = _Lazy("sympy")
    torch = _Lazy("torch", extra="torch")
