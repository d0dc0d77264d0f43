"""Finding the function that a user named, which runs the code around it.

``package.module:function`` or ``file.py:function`` is imported. The worker
process does this as well as we do, so nothing else of rlcalc is needed here.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import inspect
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from rlcalc.conform.target.call import first_line, frames
from rlcalc.errors import InputError, shown, suggestion

# functions of a file that a message names, and characters of it that are looked at for them
MOST_LISTED, MOST_READ = 6, 1 << 20


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
            _to_write(text, _defined_in(Path(text))) or "Write package.module:function or file.py:function.",
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
                _inside(found, part)
                or suggestion(attribute, known)
                or _to_write(place, _defined_in(Path(place))),
            )
        found = getattr(found, part)
    called = _called(found) if isinstance(found, type) else found
    methods = _methods(called) if isinstance(called, type) else []
    if methods:
        raise InputError(
            "target_not_callable", f"{shown(text)} is a class.", _to_write(text, methods, between=".")
        )
    return callable_or_refuse(called, text)


def _to_write(place: str, names: Sequence[str], between: str = ":") -> str:
    """What may be meant by a place that has functions; empty without one."""
    if not names:
        return ""
    more = f" and {len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return f"It has {', '.join(names[:MOST_LISTED])}{more}. Write {place}{between}{names[0]}, for example."


def _methods(owner: type) -> list[str]:
    """Methods of a user's class that are no part of Python's own ways."""
    return [
        name for name, part in vars(owner).items() if inspect.isfunction(part) and not name.startswith("_")
    ]


def _defined_in(path: Path) -> list[str]:
    """Functions and methods of a file, in order, read and not run; empty of what is no file of Python."""
    if path.suffix != ".py":
        return []
    try:
        with path.open(encoding="utf-8") as file:
            tree = ast.parse(file.read(MOST_READ))
    except (OSError, SyntaxError, ValueError):
        return []
    found = []
    for part in tree.body:
        if isinstance(part, ast.FunctionDef):
            found.append(part.name)
        elif isinstance(part, ast.ClassDef):
            found += [f"{part.name}.{m.name}" for m in part.body if isinstance(m, ast.FunctionDef)]
    return [name for name in found if not name.rpartition(".")[2].startswith("_")]


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
    """The function itself: of a property what computes it, of a class method what takes the class.

    Raises:
        InputError: ``target_not_callable``.
    """
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, cached_property):
        found = found.func
    if inspect.ismethod(found) and isinstance(found.__self__, type):
        found = found.__func__
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
