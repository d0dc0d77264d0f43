"""Modules of a library without the packages around them.

A trainer's package may import, in its ``__init__``, what only a machine with a
GPU can have, though the module with its losses asks for nothing but torch.
``pass_over`` puts an empty package in the place of each that is named, so that
its modules are found and its ``__init__`` never runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec


def pass_over(packages: Sequence[str]) -> None:
    """Make packages importable without their ``__init__``; outer ones are named before inner ones.

    What is imported already stays as it is, and what is not installed is left to the import that asks for it.
    """
    for name in packages:
        if name in sys.modules:
            continue
        found = find_spec(name)  # which imports the package around it, if that was not passed over
        if found is None or found.submodule_search_locations is None:
            continue
        empty = ModuleSpec(name, None, is_package=True)
        empty.submodule_search_locations = list(found.submodule_search_locations)
        sys.modules[name] = module_from_spec(empty)
        around, _, last = name.rpartition(".")
        if around:
            setattr(sys.modules[around], last, sys.modules[name])
