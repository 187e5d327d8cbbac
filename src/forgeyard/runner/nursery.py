"""Forks supervisors that have everything imported already.

Importing the solver, the renderer and the YAML parser takes a fifth of a second of
processor time, which is much beside a small package's build.  An executor keeps one
nursery; it reads attempt directories from its standard input, a socket of whole messages,
forks a supervisor for each and answers with its pid.  When the executor goes, the nursery
goes; the supervisors stay, each in a session of its own.  An executor without a nursery
starts supervisors as plain processes: this is speed and nothing else.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from pathlib import Path

_MESSAGE_BYTES = 4096
#: Sent once, when the nursery can take orders.
READY = b"ready"


def main() -> None:
    """Until the executor hangs up."""
    orders = socket.socket(fileno=os.dup(0))
    _import_everything()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the executor
    gc.collect()
    gc.freeze()  # what is shared now stays shared
    if len(os.listdir("/proc/self/task")) > 1:  # noqa: PTH208
        raise SystemExit("an import started a thread: forking would not be safe")
    orders.send(READY)
    while directory := orders.recv(_MESSAGE_BYTES):
        pid = os.fork()
        if pid == 0:
            _become_supervisor(orders, directory.decode())
        orders.send(str(pid).encode())


def _import_everything() -> None:
    import forgeyard.runner.attending
    import forgeyard.runner.facts
    import forgeyard.runner.stages  # noqa: F401


def _become_supervisor(orders: socket.socket, directory: str) -> None:
    code = 1
    try:
        orders.close()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        _redirect(Path(directory) / "supervisor.err")
        from forgeyard.runner import supervisor

        code = supervisor.main(["supervisor", directory])
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(errors: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    out = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(nothing, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(nothing)
    os.close(out)


if __name__ == "__main__":
    main()
