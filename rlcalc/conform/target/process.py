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
from typing import Any

from rlcalc.conform.target.base import DTYPES, JAX_NOTE, Target
from rlcalc.conform.target.call import Part, Reply
from rlcalc.conform.target.child import Child, Garbage
from rlcalc.conform.target.wire import measure, unpack
from rlcalc.conform.target.worker import START, request_message
from rlcalc.conform.vectors import Arrays
from rlcalc.errors import InputError, shown

# a first import of a large library from a cold disk takes its time
LOADING = 120.0
FRAMES = 8


class Worker:
    """The child process, started again when it was killed or died."""

    def __init__(self, target: str, backend: str, double: bool = True) -> None:
        self.target = target
        self.backend = backend
        self.double = double
        self.child: Child | None = None
        self.started = self.calls = 0

    def start(self) -> tuple[frozenset[str] | None, frozenset[str]]:
        """Start it: the keyword names that the function takes, and those that it needs.

        Raises:
            InputError: what ``load.load_function`` raised there; ``target_import`` when it
                died or did not come back.
        """
        options = {
            "target": self.target,
            "backend": self.backend,
            "double": self.double,
            "path": sys.path,
        }
        self.child = child = Child([sys.executable, "-c", START, json.dumps(options)])
        self.started += 1
        try:
            words, _ = unpack(child.exchange(b"", measure, LOADING))
            if "refused" in words:
                code, message, hint = map(str, words["refused"])
                child.end()
                raise InputError(code, message, hint)
            accepts, needs = words["accepts"], frozenset(map(str, words["needs"]))
            return None if accepts is None else frozenset(map(str, accepts)), needs
        except TimeoutError:
            why = f"it did not end within {LOADING:g} s"
        except EOFError as error:
            why = str(error)
        except (Garbage, KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            why = "it wrote into rlcalc's pipe"
        said = child.last_words(FRAMES)
        self.kill()
        raise InputError("target_import", f"Importing {shown(self.target)} failed: {why}.", "\n".join(said))

    def ask(self, arguments: Arrays, limit: float) -> Reply:
        """One call; what happens to the process is a reply as well."""
        if self.child is None:
            self.start()
        assert self.child is not None
        self.calls += 1
        try:
            request = request_message(self.calls, arguments)
            return _reply(self.calls, self.child.exchange(request, measure, limit))
        except TimeoutError:
            reply = Reply("hangs", detail=f"no answer within {limit:g} s")
        except EOFError as error:
            said = tuple(self.child.last_words(FRAMES))
            reply = Reply("raises", detail=str(error), frames=said, died=True)
        except Garbage:
            reply = Reply("raises", detail="it wrote into rlcalc's pipe", died=True)
        except BaseException:  # an interrupt, and a reply half read
            self.kill()
            raise
        self.kill()
        return reply

    def kill(self) -> None:
        """End it now, and whatever it started."""
        child, self.child = self.child, None
        if child is not None:
            child.kill()

    def end(self) -> None:
        """Let it end by itself, for a moment."""
        child, self.child = self.child, None
        if child is not None:
            child.end()


def _reply(number: int, message: bytes) -> Reply:
    """The reply to a call.

    Raises:
        Garbage: the message is none, or another's.
    """
    words, arrays = unpack(message)
    try:
        if words["call"] != number or words["kind"] not in ("answer", "raises"):
            raise Garbage
        parts, remaining = {}, iter(arrays)
        for name, brought, dtype, kind, shape in words["parts"]:
            array = next(remaining) if brought else None
            known = None if shape is None else tuple(map(int, shape))
            parts[str(name)] = Part(array, str(dtype), str(kind), known if array is None else array.shape)
        return Reply(
            words["kind"],
            parts,
            str(words["form"]),
            tuple(map(str, words["changed"])),
            str(words["detail"]),
            tuple(map(str, words["frames"])),
        )
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise Garbage from error


class ProcessTarget(Target):
    """A function under test, by its name, in a process of its own."""

    def __init__(
        self, name: str, backend: str = "numpy", limit: float = 5.0, dtypes: tuple[str, ...] = DTYPES
    ) -> None:
        self.worker = Worker(name, backend, "float64" in dtypes)
        accepts, needs = self.worker.start()
        super().__init__(name, _never, backend, accepts, needs, limit, dtypes)
        self.notes += [JAX_NOTE] * (backend == "jax" and "float64" in dtypes)

    def reply(self, arguments: Arrays) -> Reply:
        """Call the function over there."""
        return self.worker.ask(arguments, self.limit)

    def close(self) -> None:
        """End the process."""
        self.worker.end()


def _never(**_: Any) -> None:
    raise AssertionError("the function is in another process")
