"""One call of a function under test, and what came back, in plain NumPy.

This much runs where the target runs: in the worker process of the command
line (``worker``), or in this one. It needs NumPy and nothing else of rlcalc,
so that a worker starts in the time of that import. What it gives is arrays
and words only; they cross a pipe bit by bit, and nothing of the target's own
types has to be known at the other end.
"""

from __future__ import annotations

import contextlib
import dis
import inspect
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.conform.target.slopes import GRADIENT, Slope, derivatives
from rlcalc.time_limit import TimedOut

# bytes of an answer, which is some numbers for some steps; a larger one is known by its shape alone
LARGEST = 1 << 26
# characters of an exception, and of a line of source
LONGEST_LINE = 300
FRAMES = 3


@dataclass(frozen=True)
class Part:
    """One array of an answer.

    Attributes:
        array: NumPy, of numbers that Python has, in native order; ``None`` where no such array came, or
            only its shape was handed on.
        dtype: of the value that came; empty where it had none, as a Python number.
        kind: name of the type that came.
        shape: of an array of numbers.
    """

    array: Any
    dtype: str
    kind: str
    shape: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Reply:
    """What a call did.

    Attributes:
        kind: ``answer``, ``raises`` or ``hangs``.
        parts: by output name; under ``""`` the answer, where none was given.
        form: whether an ``array``, a ``mapping`` or a ``tuple`` was returned.
        changed: names of inputs that were modified in place.
        detail: the exception, or how the call ended.
        frames: where it was raised, the innermost last.
        died: the process did not survive the call.
    """

    kind: str
    parts: Mapping[str, Part] = field(default_factory=dict)
    form: str = "array"
    changed: tuple[str, ...] = ()
    detail: str = ""
    frames: tuple[str, ...] = ()
    died: bool = False


def perform(
    function: Callable[..., Any],
    backend: str,
    arguments: Mapping[str, Any],
    slopes: Sequence[Slope] = (),
) -> Reply:
    """Call a function with copies of the arguments, in arrays of its backend.

    Args:
        function: takes keyword arguments.
        backend: ``numpy``, ``torch``, ``jax`` or ``lists``.
        arguments: NumPy arrays, Python numbers and words, or tables of them by name.
        slopes: derivatives to find by autograd, of a Torch function that does not give them itself.

    An exception is a reply, also the ``SystemExit`` of a script.
    ``KeyboardInterrupt`` and ``TimedOut`` are not the target's and pass through.
    """
    if backend == "jax":
        keep_float64(arguments)

    def copies() -> dict[str, Any]:
        return {name: native(value, backend) for name, value in arguments.items()}

    passed = copies()
    try:
        with quiet():
            value = function(**passed)
        # a lazy array fails where it is read, which is the target's failure as well
        form, parts = read(value)
        changed = tuple(name for name, was in arguments.items() if not same(was, passed[name]))
        wanted = [slope for slope in slopes if slope[0] not in parts and backend == "torch"]
        with quiet():
            found = derivatives(lambda given: function(**given), copies, wanted)
        parts |= {name: replace(as_part(value), kind=GRADIENT) for name, value in found.items()}
    except (KeyboardInterrupt, TimedOut):
        raise
    except BaseException as error:
        return raised(error)
    return Reply("answer", parts, form, changed)


def prepare(backend: str) -> None:
    """Import what arrays of a backend need, which would otherwise count as time of the first call."""
    import numpy  # noqa: F401

    if backend == "torch":
        import torch  # noqa: F401
    if backend == "jax":
        import jax.numpy  # noqa: F401


def keep_float64(arguments: Mapping[str, Any]) -> None:
    """Let float64 stay float64 in JAX where it is given, which otherwise makes it float32.

    Only there: this also makes constants without a dtype float64, which is
    not how a user of float32 runs.
    """
    import jax

    parts = [p for v in arguments.values() for p in (v.values() if isinstance(v, Mapping) else (v,))]
    wide = any(getattr(part, "dtype", None) == np.float64 for part in parts)
    if jax.config.jax_enable_x64 != wide:
        jax.config.update("jax_enable_x64", wide)


def others(function: Callable[..., Any]) -> tuple[str, ...]:
    """Kinds of arrays that a function may want; the libraries that its process has loaded, lists first."""
    loaded = [name for name in ("torch", "jax") if name in sys.modules]
    own = getattr(inspect.unwrap(function), "__globals__", {}) if callable(function) else {}
    # a function's own module says more than the process that it shares with others
    loaded.sort(key=lambda name: name not in own)
    return ("numpy", "lists", *loaded)


def compiles(function: Callable[..., Any]) -> bool:
    """Whether a first call does more than compute: parts of the module are compiled, or the body imports."""
    space = getattr(function, "__globals__", {})
    parts = [function, *space.values()] if isinstance(space, dict) else [function]
    return _imports(function) or any(_compiled(part) for part in parts)


def _imports(function: Callable[..., Any]) -> bool:
    """Whether a call imports something, which may take longer than the call: PyTorch takes seconds."""
    code = getattr(function, "__code__", None)
    return code is not None and any(step.opname == "IMPORT_NAME" for step in dis.get_instructions(code))


def _compiled(part: Any) -> bool:
    kind = f"{type(part).__module__}.{type(part).__name__}"
    return kind.startswith(("numba.", "torch.jit.", "jaxlib.")) or (
        "PjitFunction" in kind or "_torchdynamo_orig_callable" in getattr(part, "__dict__", {})
    )


def raised(error: BaseException) -> Reply:
    """An exception as a reply."""
    return Reply("raises", detail=first_line(error), frames=frames(error))


def first_line(error: BaseException) -> str:
    """An exception in one line of bounded length."""
    name = type(error).__name__
    try:
        text = str(error)[: 4 * LONGEST_LINE].strip()
    except Exception:  # its own words may fail as well
        return name
    line = f"{name}: {text}".splitlines()[0] if text else name
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def frames(error: BaseException) -> tuple[str, ...]:
    """The last lines of code on the way to an exception: the user's own, where there are any."""
    found = [f for f in traceback.extract_tb(error.__traceback__) if os.path.dirname(f.filename) != _HERE]
    found = [f for f in found if not f.filename.startswith("<frozen")]
    own = [f for f in found if "site-packages" not in f.filename and not f.filename.startswith(_LIBRARY)]
    return tuple(
        f"{_short(f.filename)}:{f.lineno} in {f.name}: {(f.line or '')[:LONGEST_LINE]}"
        for f in (own or found)[-FRAMES:]
    )


_HERE, _LIBRARY = os.path.dirname(__file__), os.path.dirname(os.__file__) + os.sep


def _short(path: str) -> str:
    """A path from the current folder, where it leads down from there."""
    inside = path.startswith(os.getcwd() + os.sep)
    return os.path.relpath(path) if inside else path


def native(value: Any, backend: str) -> Any:
    """A value as the backend has it, sharing no memory with the original."""
    if isinstance(value, Mapping):
        return {name: native(part, backend) for name, part in value.items()}
    if not (hasattr(value, "dtype") and hasattr(value, "shape")):
        return [native(part, backend) for part in value] if isinstance(value, list) else value
    if backend == "numpy":
        return value.copy()
    if backend == "lists":
        return value.tolist()
    if backend == "torch":
        return torch.from_numpy(value.copy()) if value.ndim else torch.tensor(value[()])
    import jax.numpy as jnp

    return jnp.asarray(value)


def read(value: Any) -> tuple[str, dict[str, Part]]:
    """The form of a returned value, and its arrays.

    A mapping names its outputs; a tuple of arrays gives the answer first; any
    other value is the answer.
    """
    if isinstance(value, Mapping):
        return "mapping", {str(key)[:100]: as_part(part) for key, part in value.items() if part is not None}
    if isinstance(value, tuple) and value and hasattr(value[0], "shape"):
        return "tuple", {"": as_part(value[0])}
    return "array", {"": as_part(value)}


def as_part(value: Any) -> Part:
    """A value as an array of numbers, if it is one; a tensor is brought to the host.

    Entries that a mask hides are no numbers: nan. A dtype that Python's numbers
    do not hold (``longdouble``) is rounded to one that they do, and named.
    """
    kind = type(value).__name__[:100]
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        elif isinstance(value, list) and value and hasattr(value[0], "detach"):
            value = np.stack([part.detach().cpu().numpy() for part in value])
        if isinstance(value, np.ma.MaskedArray):
            hidden, value = np.ma.getmaskarray(value), value.data
            value = np.where(hidden, np.nan, value).astype(np.result_type(value, np.float16))
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError, OverflowError, MemoryError):
        return Part(None, "", kind)
    if array.dtype.kind not in "fiub":
        return Part(None, "", kind)
    dtype = str(array.dtype) if hasattr(value, "dtype") else ""
    if array.nbytes > LARGEST:
        return Part(None, dtype, kind, array.shape)
    wide = array.dtype.kind == "f" and array.dtype.itemsize > 8
    array = array.astype(np.float64 if wide else array.dtype.newbyteorder("="), copy=False)
    return Part(array, dtype, kind, array.shape)


@contextlib.contextmanager
def quiet(category: type[Warning] = Warning) -> Iterator[None]:
    """Without warnings: overflow and 0/0 are judged by what they give, whoever made warnings errors.

    Args:
        category: of the warnings; our own forms have reason for those at run time alone.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", category)
        yield


def same(before: Any, after: Any) -> bool:
    """Whether an argument is what it was before the call."""
    if isinstance(before, np.ndarray):
        if hasattr(after, "detach"):
            after = after.detach().numpy()
        if getattr(after, "is_deleted", bool)():  # donated to a function compiled by JAX
            return False
        if isinstance(after, list | float | int):
            return _same_list(before.tolist(), after)
        return getattr(after, "shape", None) == before.shape and np.array_equal(
            before, np.asarray(after), equal_nan=before.dtype.kind == "f"
        )
    if isinstance(before, Mapping):
        return all(same(value, after.get(name)) for name, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(same, before, after))
    return bool(before == after)


def _same_list(before: Any, after: Any) -> bool:
    """Whether nested lists are equal; nan equals nan."""
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same_list, before, after))
    return bool(before == after or (before != before and after != after))
