"""A function under test in a process of its own, so that rlcalc outlives whatever it does.

What a call may do, and what is wanted then: spin inside compiled code, or
swallow every exception (``hangs``, after the time limit and no later); take
its process down (``raises``, with the signal). Neither can be had in one
process. An alarm is an exception that compiled code never looks at and
``except BaseException`` eats; a watchdog thread needs the lock that the call
may hold, and could only end everything, results included.

So the function runs in a child that can be killed, and of the ways to make
one this is a fresh interpreter:

- a forked copy would be cheaper by the import of NumPy, but CUDA and JAX do
  not work in forked children and thread pools of Torch and BLAS may deadlock
  there, which would be hangs of our own making;
- one child serves all calls. A round trip over two pipes takes about 0.2 ms,
  so a whole run costs some tenths of a second more, most of it the start;
- arguments and answers cross as data (``wire``). The child makes tensors of
  them, compares its inputs before and after, and reads answers, so that
  nothing of the target's is imported here, and nothing that it writes runs.

``--in-process`` and ``rlcalc.testing`` call in this process, for a debugger
and for a function in hand; see ``base.from_function`` for what that costs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rlcalc.conform.target.base import DTYPES, JAX_NOTE, Target
from rlcalc.conform.target.call import Part, Reply
from rlcalc.conform.target.child import Child, Garbage, Service
from rlcalc.conform.target.facts import read_facts
from rlcalc.conform.target.slopes import Slope
from rlcalc.conform.target.wire import MEDDLED, measure, pack, unpack
from rlcalc.conform.target.worker import START
from rlcalc.conform.vectors import Arrays
from rlcalc.errors import InputError, shown

# a first import of a large library from a cold disk takes its time
LOADING = 120.0


class ProcessTarget(Target):
    """A function under test, by its name, in a process of its own; close it when done.

    Args:
        name: ``package.module:function`` or ``file.py:function``. This runs the code found there.
        backend: ``numpy``, ``torch`` or ``jax``.
        limit: seconds for one call.
        dtypes: that it will be called in.

    Raises:
        InputError: what ``load.load_function`` raised there; ``target_import`` also when it died
            or did not come back.
    """

    def __init__(
        self, name: str, backend: str = "numpy", limit: float = 5.0, dtypes: tuple[str, ...] = DTYPES
    ) -> None:
        super().__init__(name, _never, backend, limit=limit, dtypes=dtypes)
        self.notes += [JAX_NOTE] * (backend == "jax" and "float64" in dtypes)
        self.calls = 0
        self.ways: tuple[str, ...] = ()
        # kinds of arrays whose libraries it has imported, which takes its time
        self.prepared: set[str] = set()
        self.service = Service(self._start)
        self.service.start()

    def _start(self) -> Child:
        """Start the worker and hear what arguments the function takes."""
        options = {"target": self.name, "backend": self.backend, "path": sys.path}
        child = Child([sys.executable, "-c", START, json.dumps(options)])
        try:
            answer, *words = unpack(child.exchange(b"", measure, LOADING))
            if answer == "ready":
                self.facts = read_facts(json.loads(words[0]))
                self.accepts, self.needs = self.facts.accepts, self.facts.needs
                _, ways, self.compiles = words
                self.ways, self.called_before = tuple(map(str, ways)), False
                self.prepared.clear()
                self.prepared.update({self.backend, "numpy", "lists"})
                return child
            code, message, hint = map(str, words)
            error = InputError(code, message, hint)
        except (TimeoutError, EOFError, Garbage, TypeError, ValueError, KeyError) as failure:
            late = isinstance(failure, TimeoutError)
            why = f"it did not end within {LOADING:g} s" if late else str(failure)
            said = "\n".join(child.last_words())
            error = InputError("target_import", f"Importing {shown(self.name)} failed: {why}.", said)
        child.kill()
        raise error

    def reply(self, arguments: Arrays, slopes: Sequence[Slope] = ()) -> Reply:
        """Call the function over there; what happens to the process is a reply as well."""
        return self._ask(arguments, None, slopes)

    def lay_out(self, values: Arrays, sheet: Arrays) -> Reply:
        return self._ask(values, sheet)

    def _ask(self, values: Arrays, sheet: Arrays | None, slopes: Sequence[Slope] = ()) -> Reply:
        self.calls += 1
        backend = self.backend if sheet is None else sheet["backend"]
        limit = self.patience() + (0 if backend in self.prepared else LOADING)
        found = self.service.ask(pack([self.calls, values, backend, sheet, list(slopes)]), measure, limit)
        self.prepared.add(backend)
        try:
            if isinstance(found, Reply):
                return found
            reply = _reply(self.calls, found)
            self.called_before = True
            return reply
        except Garbage:
            self.service.kill()
            return Reply("raises", detail=MEDDLED, died=True)

    @property
    def backends(self) -> tuple[str, ...]:
        return (self.backend, *(name for name in self.ways if name != self.backend))

    def close(self) -> None:
        """End the process."""
        self.service.end()


def _reply(number: int, message: bytes) -> Reply:
    """The reply to a call.

    Raises:
        Garbage: the message is none, or another's.
    """
    try:
        called, kind, parts, form, changed, detail, frames = unpack(message)
        if called != number or kind not in ("answer", "raises"):
            raise Garbage(MEDDLED)
        found = {
            str(name): Part(array, str(dtype), str(type_), None if shape is None else tuple(map(int, shape)))
            for name, array, dtype, type_, shape in parts
        }
        words = tuple(map(str, changed)), str(detail), tuple(map(str, frames))
        return Reply(kind, found, str(form), *words)
    except (TypeError, ValueError, AttributeError) as error:
        raise Garbage(MEDDLED) from error


def _never(**_: Any) -> None:
    raise AssertionError("the function is in another process")
