"""What is put to the test: a function, found by name, and how it is called.

``package.module:function`` or ``file.py:function`` is imported, which runs
the code that stands there. Arguments are the canonical ones, by keyword;
those that a function does not name are left out, and a vector that needs
them is not run on it.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rlcalc.conform.clock import Late, limited
from rlcalc.conform.judge import Outcome, read_answer
from rlcalc.conform.vectors import Arrays, Vector
from rlcalc.errors import InputError, shown, suggestion
from rlcalc.specs import Parameter

BACKENDS = ("numpy", "torch", "jax")
DTYPES = ("float64", "float32")


@dataclass
class Target:
    """A function under test.

    Attributes:
        name: as the user wrote it.
        function: takes keyword arguments.
        backend: what its arrays are.
        accepts: keyword names; ``None`` when it takes any.
        needs: names without a default.
        limit: seconds for one call.
        dtypes: floating dtypes that it is called with.
        source: Python text that brings it in, for a test that stands alone; empty
            where its name says enough.
        called: the name that it has there.
        single: parameters that it takes one number of, where the formula also takes one per step.
    """

    name: str
    function: Callable[..., Any]
    backend: str = "numpy"
    accepts: frozenset[str] | None = None
    needs: frozenset[str] = frozenset()
    limit: float = 5.0
    dtypes: tuple[str, ...] = DTYPES
    notes: list[str] = field(default_factory=list)
    source: str = ""
    called: str = ""
    single: frozenset[str] = frozenset()

    def unable(self, vector: Vector) -> str:
        """Why a vector cannot be put to this target; empty when it can."""
        many = sorted(name for name in self.single if one_per_step(vector, name))
        if many:
            return f"it takes one {', '.join(many)} for all steps"
        if self.accepts is None:
            return ""
        unknown = sorted(self.needs - {p.name for p in vector.formula.parameters})
        if unknown:
            raise InputError(
                "target_signature",
                f"{self.name} needs {', '.join(unknown)}, which {vector.formula.name} has not.",
                f"It is called with {', '.join(p.name for p in vector.formula.parameters)} by keyword.",
            )
        missing = sorted(
            name for name in vector.given if name not in self.accepts and _says_something(vector, name)
        )
        if missing:
            return f"it takes no {', '.join(missing)}"
        lacking = sorted(name for name in self.needs if _argument(vector, name, vector.arrays) is None)
        return f"it needs {', '.join(lacking)}" if lacking else ""

    def arguments(self, vector: Vector, dtype: str, change: Any = None) -> Arrays:
        """Keyword arguments of a call; fresh arrays each time."""
        arrays = vector.cast(dtype)
        found = {}
        for parameter in vector.formula.parameters:
            name = parameter.name
            if self.accepts is not None and name not in self.accepts:
                continue
            value = _argument(vector, name, arrays) if name in self.needs else arrays[name]
            if value is not None:
                found[name] = _plain(parameter, value)
        return found if change is None else dict(change(found))

    def call(self, vector: Vector, dtype: str = "float64", change: Any = None) -> Outcome:
        """Run the function once; whatever it does is an outcome."""
        arguments = self.arguments(vector, dtype, change)
        before = deepcopy(arguments)
        passed = {name: self._native(value) for name, value in arguments.items()}
        try:
            with limited(self.limit), contextlib.redirect_stdout(io.StringIO()), _quiet():
                value = self.function(**passed)
        except Late:
            return Outcome("hangs", detail=f"no answer within {self.limit:g} s")
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            # SystemExit of a script is an outcome like any other
            return Outcome("raises", detail=f"{type(error).__name__}: {error}".strip().splitlines()[0])
        outcome = read_answer(vector.formula, value)
        changed = tuple(name for name, was in before.items() if not _same(was, self._back(passed[name])))
        if not changed:
            return outcome
        return replace(outcome, changed=changed)

    def close(self) -> None:
        """Let go of what a target holds; a function holds nothing."""

    def _native(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: self._native(part) for name, part in value.items()}
        if self.backend == "numpy" or not (hasattr(value, "dtype") and hasattr(value, "shape")):
            return value
        if self.backend == "torch":
            import torch

            return torch.from_numpy(value.copy()) if value.ndim else torch.tensor(value[()])
        import jax.numpy as jnp

        return jnp.asarray(value)

    def _back(self, value: Any) -> Any:
        return value.detach().numpy() if hasattr(value, "detach") else value


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings: overflow and 0/0 are judged by what they give, whoever made warnings errors."""
    import numpy as np

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def one_per_step(vector: Vector, name: str) -> bool:
    """Whether a parameter that may be one number comes as one per step."""
    array = vector.arrays.get(name)
    return bool(vector.formula.parameter(name).each) and array is not None and array.ndim > 0


def _says_something(vector: Vector, name: str) -> bool:
    """Whether leaving an argument out would change the question: flags that are all off say nothing."""
    value = vector.arrays[name]
    parameter = vector.formula.parameter(name)
    if parameter.kind == "flag":
        return bool(value.any() if hasattr(value, "any") else value)
    if parameter.default == "zeros":
        return bool((value != 0).any())
    return parameter.default is None or parameter.default != vector.texts.get(name)


def _argument(vector: Vector, name: str, arrays: Arrays) -> Any:
    """An argument that the function insists on, made up where the vector leaves it at its default."""
    import numpy as np

    value = arrays.get(name)
    if value is not None:
        return value
    parameter = vector.formula.parameter(name)
    if parameter.is_switch:
        return False
    if parameter.kind == "flag" and "rewards" in arrays:
        return np.zeros(arrays["rewards"].shape, bool)
    if name == "next_values" and arrays.get("values") is not None:
        return arrays["values"][..., 1:].copy()
    return None


def _plain(parameter: Parameter, value: Any) -> Any:
    """Single numbers and counts as Python has them; the tables of a decision process by name."""
    if hasattr(value, "mdp"):
        over = list(value.mdp.terminal)
        return {"p": value.p, "r": value.r, "start": value.start, "terminal": over}
    if parameter.kind == "integer" and getattr(value, "ndim", 1) == 0:
        return int(value)
    if parameter.single and getattr(value, "ndim", 1) == 0:
        return float(value)
    return value


def _same(before: Any, after: Any) -> bool:
    import numpy as np

    if isinstance(before, np.ndarray):
        return getattr(after, "shape", None) == before.shape and np.array_equal(
            before, np.asarray(after), equal_nan=before.dtype.kind == "f"
        )
    if isinstance(before, dict):
        return all(_same(value, after.get(name)) for name, value in before.items())
    return bool(before == after)


def from_function(
    function: Callable[..., Any], name: str = "", backend: str = "numpy", limit: float = 5.0
) -> Target:
    """A target from a function in hand."""
    if not callable(function):
        raise InputError("target_not_callable", f"{shown(name or function)} is no function.")
    accepts, needs = _signature(function)
    target = Target(name or getattr(function, "__name__", "target"), function, backend, accepts, needs, limit)
    if backend == "jax":
        _enable_jax(target)
    return target


def _signature(function: Callable[..., Any]) -> tuple[frozenset[str] | None, frozenset[str]]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some compiled functions say nothing about themselves
        return None, frozenset()
    named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    needs = frozenset(p.name for p in named if p.default is p.empty)
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None, needs
    return frozenset(p.name for p in named), needs


def _enable_jax(target: Target) -> None:
    try:
        import jax
    except ImportError as error:
        raise InputError("jax_missing", "--jax needs JAX, which is not installed.") from error
    # without this JAX turns float64 into float32 and every answer into seven digits
    jax.config.update("jax_enable_x64", True)
    target.notes.append("JAX runs with jax_enable_x64, so that float64 stays float64.")


def load_target(text: str, backend: str = "numpy", limit: float = 5.0) -> Target:
    """Import ``package.module:function`` or ``file.py:function``. This runs the code found there.

    Raises:
        InputError: ``target_syntax``, ``target_not_found``, ``target_import``, ``target_not_callable``.
    """
    place, colon, attribute = text.rpartition(":")
    if not (colon and place and attribute):
        raise InputError(
            "target_syntax",
            f"{shown(text)} names no function.",
            "Write package.module:function or file.py:function.",
        )
    module = _from_file(Path(place)) if place.endswith(".py") else _from_name(place)
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            known = [name for name in vars(module) if not name.startswith("_")]
            raise InputError(
                "target_not_found",
                f"There is no {shown(attribute)} in {shown(place)}.",
                suggestion(attribute, known),
            )
        found = getattr(found, part)
    return from_function(found, text, backend, limit)


def _from_file(path: Path) -> Any:
    import importlib.util

    if not path.is_file():
        raise InputError("target_not_found", f"There is no file {shown(path)}.")
    spec = importlib.util.spec_from_file_location(f"_rlcalc_target_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError("target_not_found", f"{shown(path)} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    # what stands beside the file is importable, as when it is run as a script
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
        why = f"{type(error).__name__}: {error}".strip().splitlines()[0]
        raise InputError("target_import", f"Importing {shown(what)} failed: {why}.") from error
