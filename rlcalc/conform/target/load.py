"""Finding the function that a user named, which runs the code around it.

``package.module:function`` or ``file.py:function`` is imported. The worker
process does this as well as we do, so nothing else of rlcalc is needed here.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rlcalc.conform.target.call import first_line, frames
from rlcalc.errors import InputError, shown, suggestion


def load_function(text: str, backend: str = "numpy") -> Callable[..., Any]:
    """Import ``package.module:function`` or ``file.py:function``. This runs the code found there.

    Args:
        text: where it stands.
        backend: ``numpy``, ``torch``, ``jax`` or ``lists``.

    Raises:
        InputError: ``target_syntax``, ``target_not_found``, ``target_import``,
            ``target_not_callable``, ``jax_missing``.
    """
    place, colon, attribute = text.rpartition(":")
    if not (colon and place and attribute):
        raise InputError(
            "target_syntax",
            f"{shown(text)} does not name a function.",
            "Write package.module:function or file.py:function.",
        )
    if backend == "jax":
        prepare_jax()
    module = _from_file(Path(place)) if place.endswith(".py") else _from_name(place)
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            known = [name for name in vars(module) if not name.startswith("_")]
            raise InputError(
                "target_not_found",
                f"There is no {shown(attribute)} in {shown(place)}.",
                _inside(found, part) or suggestion(attribute, known),
            )
        found = getattr(found, part)
    return callable_or_refuse(_called(found) if isinstance(found, type) else found, text)


def _called(owner: type) -> Any:
    """What runs where an object of a user's class is called, as a module of Torch is; else the class."""
    own = [part for part in owner.__mro__ if not part.__module__.startswith(("torch.", "builtins"))]
    names = ("forward", "__call__", "update")
    return next((vars(part)[name] for name in names for part in own if name in vars(part)), owner)


def _inside(found: Any, name: str) -> str:
    """What to do about a function that stands inside another one, which has to run first."""
    constants = getattr(getattr(found, "__code__", None), "co_consts", ())
    if not any(getattr(part, "co_name", "") == name for part in constants):
        return ""
    outer = found.__name__
    return f"{name} is made inside {outer}. Give what {outer} returns a name in the file: f = {outer}(...)"


def callable_or_refuse(found: Any, name: str) -> Callable[..., Any]:
    """The function itself.

    Raises:
        InputError: ``target_not_callable``.
    """
    if not callable(found):
        raise InputError("target_not_callable", f"{shown(name)} is not a function.")
    function: Callable[..., Any] = found
    return function


def prepare_jax() -> None:
    """Refuse early where JAX is missing.

    Raises:
        InputError: ``jax_missing``.
    """
    try:
        import jax  # noqa: F401
    except ImportError as error:
        raise InputError("jax_missing", "--jax needs JAX, which is not installed.") from error


def _from_file(path: Path) -> Any:
    import importlib.util

    if not path.is_file():
        raise InputError("target_not_found", f"There is no file {shown(path)}.")
    spec = importlib.util.spec_from_file_location(f"_rlcalc_target_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError("target_not_found", f"{shown(path)} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    # what stands next to the file can be imported, as when it is run as a script
    sys.path.insert(0, str(path.resolve().parent))
    with _importing(str(path)):
        spec.loader.exec_module(module)
    return module


def _from_name(name: str) -> Any:
    from importlib import import_module

    # an installed command does not have the current folder on its path; 'python -m' has
    if "" not in sys.path and "." not in sys.path:
        sys.path.insert(0, "")
    with _importing(name):
        return import_module(name)


@contextlib.contextmanager
def _importing(what: str) -> Iterator[None]:
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        why = first_line(error)
        where = "\n".join(f"at {frame}" for frame in frames(error))
        raise InputError("target_import", f"Importing {shown(what)} failed: {why}.", where) from error
