"""What crosses between the yard and a runner: the job, and its result.

A job is all that a build machine gets to know.  It names its inputs by digest; the
runner fetches them from the yard with the attempt's own token (DESIGN §5, §7).
"""

from __future__ import annotations

from typing import Any

import msgspec

from forgeyard.builds.outcome import Failure, Outcome, Stage
from forgeyard.recipes.source import Source as Source


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Where an attempt is ended.  Sizes in bytes, times in seconds."""

    wall_seconds: int = 6 * 3600
    #: No new log line for so long.
    silence_seconds: int = 30 * 60
    log_bytes: int = 64 * 2**20
    memory_bytes: int = 4 * 2**30
    disk_bytes: int = 20 * 2**30
    processes: int = 4096


class StagedArtifact(msgspec.Struct, frozen=True, kw_only=True):
    """A package file that the build stage made and the test stage gets."""

    filename: str
    subdir: str
    sha256: str
    size: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at one stage of one build."""

    attempt_id: str
    build_id: str
    stage: Stage
    #: Base address of the yard, such as ``http://127.0.0.1:8765``.
    server: str
    #: Channels in order of priority; the yard's own first.
    channels: tuple[str, ...]
    #: sha256 of the feedstock's archive (``tar.zst``) in the yard's object store.
    feedstock: str
    #: Path of the recipe inside the archive.
    recipe_path: str = "recipe.yaml"
    #: The output that this build makes (one output, one variant).
    name: str
    version: str
    build_string: str
    subdir: str
    build_platform: str
    target_platform: str
    #: Every variant key with one value: renders to exactly this output.
    variant: dict[str, Any]
    sources: tuple[Source, ...] = ()
    limits: Limits = Limits()
    cpu_count: int = 1
    package_format: str = "conda:9"
    #: Seconds since 1970, for the record: rattler-build stamps a package (and SOURCE_DATE_EPOCH)
    #: with its own clock, and a rebuild with the time that the first build had.
    timestamp: int = 0
    #: Test stage: what to test.  Build stage: one artifact that is to be made again from
    #: exactly its own inputs and compared (outcome ``succeeded`` or ``not_reproducible``).
    artifacts: tuple[StagedArtifact, ...] = ()


class LockedPackage(msgspec.Struct, frozen=True, kw_only=True):
    """One package of a solved environment."""

    name: str
    version: str
    build: str
    subdir: str
    url: str
    sha256: str


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt used."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    peak_disk_bytes: int = 0


class JobResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a runner says at the end of an attempt."""

    outcome: Outcome
    failure: Failure | None = None
    artifacts: tuple[StagedArtifact, ...] = ()
    #: ``build``, ``host``, ``test`` → what was installed.
    locks: dict[str, tuple[LockedPackage, ...]] = {}
    usage: Usage = Usage()
    #: Kernel, libc, cpu, tool versions and the like.
    machine: dict[str, str] = {}
    #: Phase → seconds it took.
    phases: dict[str, float] = {}
    #: Remarks of the packaging checks (overlinking and the like).
    warnings: tuple[str, ...] = ()
    #: Total bytes of log that belong to this attempt.
    log_bytes: int = 0
