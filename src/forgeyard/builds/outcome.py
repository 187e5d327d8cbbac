"""How builds and attempts end, and what is kept of a failure (DESIGN §4)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from forgeyard.errors import Where


class Stage(StrEnum):
    """What one attempt does; a build runs the stages in this order."""

    BUILD = "build"
    TEST = "test"


class Outcome(StrEnum):
    """How a build or one attempt of it ended."""

    SUCCEEDED = "succeeded"
    #: Built again with the same content as what is published: nothing to publish.
    UNCHANGED = "unchanged"
    FAILED = "failed"
    DEPENDENCY_FAILED = "dependency_failed"
    TIMED_OUT = "timed_out"
    SILENT = "silent"
    LOG_LIMIT = "log_limit"
    DISK_LIMIT = "disk_limit"
    OUT_OF_MEMORY = "out_of_memory"
    INFRASTRUCTURE = "infrastructure"
    CANCELLED = "cancelled"
    DENIED = "denied"
    SUPERSEDED = "superseded"
    NOT_REPRODUCIBLE = "not_reproducible"

    @property
    def good(self) -> bool:
        """Whether what depends on this build can go on."""
        return self in GOOD


GOOD = frozenset({Outcome.SUCCEEDED, Outcome.UNCHANGED})
#: Outcomes that the same inputs would give again: remembered by ``input_key``.
CACHED = frozenset(
    {
        Outcome.SUCCEEDED,
        Outcome.UNCHANGED,
        Outcome.FAILED,
        Outcome.TIMED_OUT,
        Outcome.SILENT,
        Outcome.LOG_LIMIT,
        Outcome.DISK_LIMIT,
    }
)


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why an attempt or a build did not succeed, in words for its owner."""

    #: Stable: ``script_failed``, ``sha256_mismatch``, ``unsolvable``, ``source_unreachable``…
    code: str
    message: str
    hint: str | None = None
    where: Where | None = None
    #: ``fetch``, ``solve``, ``build``, ``package``, ``check``, ``test``, ``publish``…
    phase: str | None = None
    #: Number of the log line (from 1) that shows it best.
    log_line: int | None = None
