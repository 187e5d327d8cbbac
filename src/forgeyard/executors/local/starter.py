"""Starts supervisors: forked by a nursery when there is one, else as plain processes."""

from __future__ import annotations

import os
import socket
import subprocess
import threading

from forgeyard.executors.attempt_dir import AttemptDir

_READY = b"ready"
_ANSWER_SECONDS = 2.0


class Starter:
    """Owns the nursery and what is left of processes that it started itself."""

    def __init__(self, python: str, *, nursery: bool) -> None:
        self._python = python
        self._lock = threading.Lock()
        self._wanted = nursery
        self._orders: socket.socket | None = None
        self._ready = False
        #: Only to collect their exit; whose child an attempt is makes no difference.
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, attempt: AttemptDir) -> int:
        """Pid of the new supervisor."""
        with self._lock:
            return self._fork(attempt) or self._spawn(attempt)

    def collect(self) -> None:
        """Let go of processes that have ended."""
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]

    def close(self) -> None:
        """Send the nursery away; attempts go on."""
        with self._lock:
            self._wanted = False
            self._lose_nursery()

    def _fork(self, attempt: AttemptDir) -> int | None:
        if not self._wanted:
            return None
        if self._orders is None:
            self._open_nursery()
            return None  # it takes a moment; this attempt need not wait for it
        try:
            if not self._ready:
                self._orders.settimeout(0)
                self._ready = self._orders.recv(64) == _READY
            self._orders.settimeout(_ANSWER_SECONDS)
            self._orders.send(os.fsencode(attempt.path))
            return int(self._orders.recv(64))
        except BlockingIOError:
            return None  # not ready yet
        except (OSError, ValueError):
            self._lose_nursery()
            return None

    def _open_nursery(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [self._python, "-m", "forgeyard.runner.nursery"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(),
                start_new_session=True,
            )
        self._children.append(process)
        self._orders = ours
        self._ready = False

    def _lose_nursery(self) -> None:
        if self._orders is not None:
            self._orders.close()
            self._orders = None

    def _spawn(self, attempt: AttemptDir) -> int:
        with attempt.errors.open("ab") as errors:
            process = subprocess.Popen(
                [self._python, "-m", "forgeyard.runner.supervisor", str(attempt.path)],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                env=environment(),
                start_new_session=True,
            )
        self._children.append(process)
        return process.pid


def environment() -> dict[str, str]:
    """What a supervisor may know: how to reach the network, and nothing secret of ours."""
    kept = ("PATH", "HOME", "LANG", "TZ", "USER", "LOGNAME", "PYTHONPATH", "VIRTUAL_ENV")
    prefixes = ("PIP_", "UV_", "SSL_", "REQUESTS_", "CURL_", "CONDA_OVERRIDE_", "GIT_SSL_")
    proxies = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
    return {
        name: value
        for name, value in os.environ.items()
        if name in kept or name.startswith(prefixes) or name.lower() in proxies
    }
