"""The process that a function under test runs in; ``remote`` starts it and says why there is one.

It loads the function, says what arguments it takes, and then answers call
after call until its standard input ends. Requests and replies are pickles of
our own: arrays, numbers and words, each behind its length. The target has
neither of the two pipes in hand: its standard input is empty, and what it
prints, from whatever language, goes nowhere.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Mapping
from struct import Struct
from typing import IO, Any

from rlcalc.conform.target.call import Reply, first_line, perform, prepare
from rlcalc.conform.target.load import load_function, signature
from rlcalc.errors import InputError

LENGTH = Struct("<Q")
# given to the interpreter: only then does the path lead to this module
START = (
    "import json, sys; options = json.loads(sys.argv[1]); sys.path[:] = options['path']; "
    "from rlcalc.conform.target.worker import main; main(options)"
)


def main(options: Mapping[str, Any]) -> None:
    """Serve one function.

    Args:
        options: ``target``, ``backend`` and ``double`` as for ``loading.load_function``, ``path`` for
            imports, ``parent`` that it must not outlive, ``bound`` when the thread that started it lives as
            long as that, ``loud`` to say on standard error where it died.
    """
    requests, replies = _own_pipes()
    _die_with(options["parent"], options["bound"])
    if options["loud"]:
        import faulthandler

        faulthandler.enable()
    sys.argv = ["rlcalc"]
    try:
        function = load_function(options["target"], options["backend"], options["double"])
    except InputError as error:
        send(replies, ("refused", error.code, error.message, error.hint))
        return
    prepare(options["backend"])
    send(replies, ("ready", *signature(function)))
    while (arguments := receive(requests)) is not None:
        try:
            reply = perform(function, options["backend"], arguments)
        except KeyboardInterrupt as error:
            # nobody can interrupt this process from a keyboard, so it is the target's own
            reply = Reply("raises", detail=first_line(error))
        send(replies, reply)


def send(pipe: IO[bytes], value: Any) -> None:
    """Write one value."""
    data = pickle.dumps(value, protocol=5)
    pipe.write(LENGTH.pack(len(data)) + data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> Any:
    """Read one value; ``None`` at the end."""
    head = pipe.read(LENGTH.size)
    return pickle.loads(pipe.read(LENGTH.unpack(head)[0])) if len(head) == LENGTH.size else None


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output for ourselves, under numbers that nobody expects; nothing in their place."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return requests, replies


def _die_with(parent: int, bound: bool) -> None:
    """Ask the system to end this process when rlcalc is killed, for a call that never looks up again.

    Only Linux knows this, and means the thread that started us; elsewhere such
    a process ends with its call.
    """
    if bound and sys.platform == "linux":
        import ctypes

        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it went before we asked
        os._exit(1)
