"""rlcalc: exact answers for reinforcement-learning formulas, and proof that code agrees with them.

    >>> import rlcalc
    >>> rlcalc.lambda_return([1, 2, 3], lam=0.5)      # NumPy; tensors run Torch
    array([2.75, 3.5 , 3.  ])
    >>> rlcalc.derive("lambda_return", rewards=[1, 2, 3], lam="1/2").answer
    11/4

``rlcalc.<formula>`` is the numeric function, ``derive`` the exact one with
its steps, ``compute`` gives every numeric output, ``evaluate`` runs and
compares all backends. Nothing heavy is imported until a function needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rlcalc._version import __version__

if TYPE_CHECKING:
    from rlcalc.api import compute
    from rlcalc.errors import CheckFailed, DataError, InputError, RlcalcError, UnknownName
    from rlcalc.evaluation import derive, evaluate

_FROM = {
    "compute": "rlcalc.api",
    "derive": "rlcalc.evaluation",
    "evaluate": "rlcalc.evaluation",
    "CheckFailed": "rlcalc.errors",
    "DataError": "rlcalc.errors",
    "InputError": "rlcalc.errors",
    "RlcalcError": "rlcalc.errors",
    "UnknownName": "rlcalc.errors",
}

__all__ = [
    "CheckFailed",
    "DataError",
    "InputError",
    "RlcalcError",
    "UnknownName",
    "__version__",
    "compute",
    "derive",
    "evaluate",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _FROM:
        globals()[name] = found = getattr(import_module(_FROM[name]), name)  # asked for once
        return found
    # a look at one file: Python asks here too before it imports a module of that name
    if name.isidentifier() and not name.startswith("_"):
        from rlcalc.data import data_folder

        if (data_folder("specs") / "formulas" / f"{name}.toml").is_file():
            from rlcalc.api import numeric_function

            globals()[name] = function = numeric_function(name)
            return function
    raise AttributeError(f"module 'rlcalc' has no attribute {name!r}")


def __dir__() -> list[str]:
    from rlcalc.heads import formula_names

    return sorted([*__all__, *formula_names()])
