"""The process that a function under test runs in; ``process`` starts it and says why there is one.

It loads the function, says what is known of it without a call, and then
answers call after call until its standard input ends. The target has neither of the two
pipes in hand: its standard input is empty, and what it prints, from whatever
language, goes nowhere.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from collections.abc import Mapping
from typing import IO, Any

from rlcalc.conform.target.call import LARGEST, Reply, compiles, others, perform, prepare, raised
from rlcalc.conform.target.facts import facts_of
from rlcalc.conform.target.load import load_function
from rlcalc.conform.target.sheet import perform_sheet
from rlcalc.conform.target.wire import measure, pack, unpack
from rlcalc.errors import InputError

# given to the interpreter: only then does the path lead to this module
START = (
    "import json, sys; options = json.loads(sys.argv[1]); sys.path[:] = options['path']; "
    "from rlcalc.conform.target.worker import main; main(options)"
)


def main(options: Mapping[str, Any]) -> None:
    """Serve one function.

    Args:
        options: ``target`` and ``backend`` as for ``load.load_function``, ``path`` for imports.
    """
    requests, replies = _own_pipes()
    faulthandler.enable()
    sys.argv = ["rlcalc"]

    def send(message: bytes) -> None:
        replies.write(message)
        replies.flush()

    try:
        function = load_function(options["target"], options["backend"])
    except InputError as error:
        send(pack(["refused", error.code, error.message, error.hint]))
        return
    prepare(options["backend"])
    send(pack(["ready", json.dumps(facts_of(function).table()), others(function), compiles(function)]))
    while (request := _receive(requests)) is not None:
        number, arguments, backend, sheet, slopes = request
        try:
            prepare(backend)
            if sheet is None:
                reply = perform(function, backend, arguments, slopes)
            else:
                reply = perform_sheet(function, {**sheet, "values": arguments})
        except KeyboardInterrupt as error:
            # no keyboard is connected to this process, so it is the target's own
            reply = raised(error)
        send(reply_message(number, reply))


def _receive(requests: IO[bytes]) -> Any:
    """The next call; ``None`` at the end."""
    data = bytearray()
    while len(data) < (size := measure(data)) or not size:
        part = os.read(requests.fileno(), max(1 << 16, size - len(data)))
        if not part:
            return None
        data += part
    return unpack(bytes(data))


def reply_message(number: int, reply: Reply) -> bytes:
    """A reply; arrays that are too large together go by their shape."""
    parts, left = [], LARGEST
    for name, part in reply.parts.items():
        brought = part.array is not None and part.array.nbytes <= left
        left -= part.array.nbytes if brought else 0
        parts.append([name, part.array if brought else None, part.dtype, part.kind, part.shape])
    return pack([number, reply.kind, parts, reply.form, reply.changed, reply.detail, reply.frames])


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Standard input and output for ourselves, under other numbers; nothing in their place."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return requests, replies
