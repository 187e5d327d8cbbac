"""One supervisor process per attempt, found again by its directory and recorded identity.

The executor keeps nothing in memory: the yard may be restarted while attempts run, and
the next executor over the same directory knows them all.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from forgeyard.builds.outcome import Outcome
from forgeyard.executors import processes
from forgeyard.executors.attempt_dir import AttemptDir, RunnerSetup
from forgeyard.executors.interface import AttemptSpec, AttemptStatus
from forgeyard.executors.local.starter import Starter
from forgeyard.executors.removal import remove

#: A supervisor that was asked to end gets this long before it is killed.
GRACE_SECONDS = 20.0

#: How often a finished attempt's result is offered before the attempt counts as lost.
_DELIVERIES = 5

_STATUS = {
    Outcome.SUCCEEDED: AttemptStatus.SUCCEEDED,
    Outcome.UNCHANGED: AttemptStatus.SUCCEEDED,
    Outcome.TIMED_OUT: AttemptStatus.TIMEOUT,
    Outcome.OUT_OF_MEMORY: AttemptStatus.OUT_OF_MEMORY,
    Outcome.CANCELLED: AttemptStatus.CANCELLED,
    Outcome.SUPERSEDED: AttemptStatus.CANCELLED,
}


class LocalExecutor:
    """Implements ``Executor``; a handle is the attempt's id."""

    def __init__(
        self,
        work_dir: Path,
        python: str = sys.executable,
        *,
        cache_dir: Path | None = None,
        heartbeat_seconds: float = 5.0,
        grace_seconds: float = GRACE_SECONDS,
        control_groups: bool = True,
        nursery: bool = True,
        shown: tuple[str, ...] = (),
    ) -> None:
        self._attempts = work_dir / "attempts"
        self._cache_dir = cache_dir or work_dir / "cache"
        self._starter = Starter(python, nursery=nursery)
        self._heartbeat_seconds = heartbeat_seconds
        self._grace_seconds = grace_seconds
        self._control_groups = control_groups
        self._shown = shown

    def submit(self, spec: AttemptSpec) -> str:
        """Start the attempt's supervisor, once, and return its handle."""
        handle = spec.job.attempt_id
        attempt = self._dir(handle)
        if attempt.supervisor() is not None or attempt.result() is not None:
            return handle
        setup = RunnerSetup(
            cache_dir=str(self._cache_dir),
            gpus=spec.gpus,
            heartbeat_seconds=self._heartbeat_seconds,
            control_groups=self._control_groups,
            shown=self._shown,
        )
        self._cache_dir.mkdir(parents=True, exist_ok=True)
        attempt.write_inputs(spec.job, spec.token, setup)
        self._start(attempt)
        return handle

    def close(self) -> None:
        """Let go of what helps to start attempts; the attempts themselves go on."""
        self._starter.close()

    def _start(self, attempt: AttemptDir) -> None:
        pid = self._starter.start(attempt)
        # Recorded here as well: the supervisor may die before it can do so itself.
        known = attempt.supervisor()
        identity = processes.identify(pid)
        if identity is not None and not (known and processes.is_running(known)):
            attempt.write_supervisor(identity)

    def poll(self, handles: Iterable[str]) -> dict[str, AttemptStatus]:
        """Status of each; reads a few small files per handle."""
        self._starter.collect()
        return {handle: self._status(self._dir(handle)) for handle in handles}

    def cancel(self, handle: str) -> None:
        """Ask the supervisor to end; after the grace time kill it.  Does not wait."""
        attempt = self._dir(handle)
        if not attempt.path.is_dir() or attempt.result() is not None:
            return
        first = not attempt.cancel_request.exists()
        if first:
            attempt.cancel_request.touch()
        identity = attempt.supervisor()
        if identity is None:
            return
        asked_at = attempt.cancel_request.stat().st_mtime
        overdue = time.time() - asked_at > self._grace_seconds
        # Its sandbox dies with it, whichever signal it is.
        processes.send_signal(identity, signal.SIGKILL if overdue else signal.SIGTERM)

    def adopt(self, attempt_id: str) -> str | None:
        """The handle of an attempt that was started in this directory."""
        return attempt_id if self._dir(attempt_id).supervisor() is not None else None

    def renew(self, handle: str, token: str, server: str) -> None:
        """Give the attempt a new token and address; they are used from the next request on."""
        attempt = self._dir(handle)
        if attempt.path.is_dir():
            attempt.write_server(server)
            attempt.write_token(token)

    def forget(self, handle: str) -> None:
        """Remove a finished attempt's directory; a running one is left alone."""
        attempt = self._dir(handle)
        if self._status(attempt) is not AttemptStatus.RUNNING:
            remove(attempt.path)

    def kept(self) -> list[str]:
        """Attempts of which something is on disk, running or not."""
        return sorted(path.name for path in self._attempts.glob("*"))

    def _dir(self, handle: str) -> AttemptDir:
        if not handle or "/" in handle or handle.startswith("."):
            raise ValueError(f"not an attempt id: {handle!r}")
        return AttemptDir(self._attempts / handle)

    def _status(self, attempt: AttemptDir) -> AttemptStatus:
        identity = attempt.supervisor()
        if identity is not None and processes.is_running(identity):
            return AttemptStatus.RUNNING
        # Read after the look at the process: its last act is to write the result.
        result = attempt.result()
        if result is None:
            return AttemptStatus.LOST
        if not attempt.delivered.exists():
            return self._deliver_again(attempt)
        return _STATUS.get(result.outcome, AttemptStatus.FAILED)

    def _deliver_again(self, attempt: AttemptDir) -> AttemptStatus:
        """The supervisor ended between writing its result and handing it over."""
        tries = attempt.path / "deliveries"
        count = len(tries.read_bytes()) if tries.exists() else 0
        if count >= _DELIVERIES:
            return AttemptStatus.LOST
        with tries.open("ab") as file:
            file.write(b".")
        self._start(attempt)
        return AttemptStatus.RUNNING
