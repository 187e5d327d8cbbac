"""What turns an attempt into a running process (DESIGN §5).

The protocol is small so that a laptop and a cluster look alike; one contract test
runs against every executor.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

import msgspec

from forgeyard.builds.job import Job


class AttemptStatus(StrEnum):
    """What an executor knows of an attempt."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    #: The process is gone and left no result.
    LOST = "lost"


class AttemptSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt, ready to run."""

    job: Job
    #: Bearer token good for this attempt only; never visible inside the sandbox.
    token: str
    #: Device numbers of the GPUs that the attempt may use.
    gpus: tuple[int, ...] = ()


class Executor(Protocol):
    """Runs attempts somewhere."""

    def submit(self, spec: AttemptSpec) -> str:
        """Start the attempt and return its handle.  Idempotent per ``attempt_id``."""

    def poll(self, handles: Iterable[str]) -> dict[str, AttemptStatus]:
        """Status of all the handles in one go; an unknown one is ``LOST``."""

    def cancel(self, handle: str) -> None:
        """End the attempt's whole process tree.  Idempotent."""

    def adopt(self, attempt_id: str) -> str | None:
        """The handle of an attempt that an earlier server started, if it is known here."""

    def renew(self, handle: str, token: str, server: str) -> None:
        """Give a running attempt a fresh token, and the yard's address, after a restart."""

    def forget(self, handle: str) -> None:
        """Remove what is kept of a finished attempt; a running one is left alone."""

    def kept(self) -> list[str]:
        """Ids of the attempts of which something is kept, running or not."""
