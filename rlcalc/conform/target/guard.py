"""A process between rlcalc and code that is not ours: when either of them ends, nothing of the code stays.

rlcalc may be killed before it can end anything, and what it started may have
started more. So this small script stands between: it starts the command,
and kills it with all its descendants as soon as the command is over or the
socket that it shares with rlcalc is closed, which no way of dying can
prevent. On Linux orphans are handed to it, also those that left the group.

Run by path, and without site packages, so that it is there in milliseconds:
``python -I -S guard.py SOCKET COMMAND...``. On the socket it says ``P`` and
the command's number or ``E`` and why it could not be started, later ``X`` and
its exit status.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
# one that waits for a broken disk cannot even be killed
PATIENCE = 2.0


def main(words: list[str]) -> None:
    """Guard one command.

    Args:
        words: number of the socket, then the command.
    """
    socket, command = int(words[0]), words[1:]
    os.set_inheritable(socket, False)
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _control(PR_SET_CHILD_SUBREAPER, 1)
    started, failed = os.pipe()  # closed by a successful start
    child = os.fork()
    if not child:
        _become(command, failed)
    os.close(failed)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for stream in (0, 1, 2):  # an end of file is the command's to make
        os.close(stream)
    error = os.read(started, 16)
    with contextlib.suppress(OSError):
        os.write(socket, b"E%s\n" % error if error else b"P%d\n" % child)
    status = None
    while status is None:
        ready = select.select([ended, socket], [], [])[0]
        if socket in ready:
            break
        os.read(ended, 64)
        status = _reap(child)
    if status is not None:
        with contextlib.suppress(OSError):
            os.write(socket, b"X%d\n" % os.waitstatus_to_exitcode(status))
    _sweep(child)


def _become(command: list[str], failed: int) -> None:
    """Turn into the command, in a group of its own; end with the guard."""
    os.setpgid(0, 0)
    _control(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and a command would inherit that
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        os.write(failed, b"%d" % (error.errno or 0))
    os._exit(127)


def _control(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _reap(child: int) -> int | None:
    """Wait for all that ended; the status of the command, if it is among them."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while True:
            number, status = os.waitpid(-1, os.WNOHANG)
            if number == 0:
                break
            if number == child:
                found = status
    return found


def _sweep(group: int) -> None:
    """Kill the command's group, and orphans of it that were handed to us, until none is left."""
    until = time.monotonic() + PATIENCE
    with contextlib.suppress(OSError):
        os.killpg(group, signal.SIGKILL)
    while time.monotonic() < until:
        for number in _children():
            with contextlib.suppress(OSError):
                os.kill(number, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)


def _children() -> list[int]:
    number = os.getpid()
    with contextlib.suppress(OSError), open(f"/proc/self/task/{number}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]
    return []


if __name__ == "__main__":
    main(sys.argv[1:])
