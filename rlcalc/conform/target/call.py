"""One call of a function under test, and what came back, in plain NumPy.

This much runs where the target runs: in the worker process of the command
line (``worker``), or in this one. It needs NumPy and nothing else of rlcalc,
so that a worker starts in the time of that import. What it gives is arrays
and words only; they cross a pipe bit by bit, and nothing of the target's own
types has to be known at the other end.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Part:
    """One array of an answer.

    Attributes:
        array: NumPy, of numbers; ``None`` where no array of numbers came.
        typed: the value had a dtype of its own; a Python number has none.
        kind: name of the type that came.
    """

    array: Any
    typed: bool
    kind: str


@dataclass(frozen=True)
class Reply:
    """What a call did.

    Attributes:
        kind: ``answer``, ``raises`` or ``hangs``.
        parts: by output name; under ``""`` the answer, where none was given.
        form: whether an ``array``, a ``mapping`` or a ``tuple`` was returned.
        changed: names of inputs that were modified in place.
        detail: the exception, or how the call ended.
        died: the process did not survive the call.
    """

    kind: str
    parts: Mapping[str, Part] = field(default_factory=dict)
    form: str = "array"
    changed: tuple[str, ...] = ()
    detail: str = ""
    died: bool = False


def perform(function: Callable[..., Any], backend: str, arguments: Mapping[str, Any]) -> Reply:
    """Call a function with copies of the arguments, in arrays of its backend.

    Args:
        function: takes keyword arguments.
        backend: ``numpy``, ``torch`` or ``jax``.
        arguments: NumPy arrays, Python numbers and words, or tables of them by name.

    An exception is a reply, also the ``SystemExit`` of a script.
    ``KeyboardInterrupt`` and ``Late`` are not the target's and pass through.
    """
    from rlcalc.conform.target.time_limit import Late

    passed = {name: native(value, backend) for name, value in arguments.items()}
    try:
        with _quiet():
            value = function(**passed)
        # a lazy array fails where it is read, which is the target's failure as well
        form, parts = read(value)
    except (KeyboardInterrupt, Late):
        raise
    except BaseException as error:
        return Reply("raises", detail=first_line(error))
    changed = tuple(name for name, was in arguments.items() if not _same(was, passed[name]))
    return Reply("answer", parts, form, changed)


def prepare(backend: str) -> None:
    """Import what arrays of a backend need, which would otherwise count as time of the first call."""
    if backend == "torch":
        import torch  # noqa: F401
    if backend == "jax":
        import jax.numpy  # noqa: F401


def first_line(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {error}".strip().splitlines()[0]


def native(value: Any, backend: str) -> Any:
    """A value as the backend has it, sharing no memory with the original."""
    if isinstance(value, Mapping):
        return {name: native(part, backend) for name, part in value.items()}
    if not (hasattr(value, "dtype") and hasattr(value, "shape")):
        return list(value) if isinstance(value, list) else value
    if backend == "numpy":
        return value.copy()
    if backend == "torch":
        import torch

        return torch.from_numpy(value.copy()) if value.ndim else torch.tensor(value[()])
    import jax.numpy as jnp

    return jnp.asarray(value)


def read(value: Any) -> tuple[str, dict[str, Part]]:
    """The form of a returned value, and its arrays.

    A mapping names its outputs; a tuple of arrays gives the answer first; any
    other value is the answer.
    """
    if isinstance(value, Mapping):
        return "mapping", {str(key): _part(part) for key, part in value.items() if part is not None}
    if isinstance(value, tuple) and value and hasattr(value[0], "shape"):
        return "tuple", {"": _part(value[0])}
    return "array", {"": _part(value)}


def _part(value: Any) -> Part:
    return Part(as_array(value), hasattr(value, "dtype"), type(value).__name__)


def as_array(value: Any) -> Any:
    """A NumPy array of numbers, or ``None``; a tensor is brought to the host."""
    import numpy as np

    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError):
        return None
    return array if array.dtype.kind in "fiub" else None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings: overflow and 0/0 are judged by what they give, whoever made warnings errors."""
    import numpy as np

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def _same(before: Any, after: Any) -> bool:
    """Whether an argument is what it was before the call."""
    import numpy as np

    if isinstance(before, np.ndarray):
        if hasattr(after, "detach"):
            after = after.detach().numpy()
        if getattr(after, "is_deleted", bool)():  # donated to a function compiled by JAX
            return False
        return getattr(after, "shape", None) == before.shape and np.array_equal(
            before, np.asarray(after), equal_nan=before.dtype.kind == "f"
        )
    if isinstance(before, Mapping):
        return all(_same(value, after.get(name)) for name, value in before.items())
    return bool(before == after)
