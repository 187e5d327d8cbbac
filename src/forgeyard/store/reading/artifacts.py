"""One artifact with all that is known of how it came to be."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from forgeyard.builds.job import JobResult, LockedPackage, Usage
from forgeyard.recipes.source import Source
from forgeyard.store.tables import artifacts, attempts, builds, channel_files, channels


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that holds the file."""

    channel: str
    subdir: str
    filename: str


class ArtifactDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A package file."""

    sha256: str
    md5: str
    filename: str
    subdir: str
    size: int
    name: str
    version: str
    build_string: str
    build_number: int
    #: The repodata entry, run_exports included.
    record: dict[str, Any]
    about: dict[str, Any]
    #: Equal for two builds of the same content.
    content_digest: str
    #: Object that holds the list of its files.
    paths_digest: str
    build_id: str | None
    #: Objects that hold the signed statements.
    publish_attestation: str | None
    build_provenance: str | None
    created_at: datetime
    places: tuple[Place, ...]


class StageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One stage of the build that made an artifact."""

    attempt: str
    stage: str
    pool: str
    started_at: datetime | None
    finished_at: datetime | None
    log_digest: str | None
    usage: Usage
    #: Kernel, libc, processor, versions of the tools.
    machine: dict[str, str]
    phases: dict[str, float]
    warnings: tuple[str, ...]
    #: ``build``, ``host``, ``test`` → what was installed.
    locks: dict[str, tuple[LockedPackage, ...]]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """What an artifact was made of, and where."""

    build_id: str
    feedstock: str
    feedstock_digest: str
    feedstock_commit: str | None
    recipe_path: str
    input_key: str
    variant: dict[str, Any]
    sources: tuple[Source, ...]
    submitted_by: str
    stages: tuple[StageFacts, ...]


def detail(connection: Connection, sha256: str) -> ArtifactDetail | None:
    """One artifact; None when there is none of that digest."""
    row = connection.execute(select(artifacts).where(artifacts.c.sha256 == sha256)).one_or_none()
    if row is None:
        return None
    held = connection.execute(
        select(channels.c.name.label("channel"), channel_files.c.subdir, channel_files.c.filename)
        .join(channels, channels.c.id == channel_files.c.channel_id)
        .where(channel_files.c.sha256 == sha256)
    )
    return ArtifactDetail(
        sha256=row.sha256,
        md5=row.md5,
        filename=row.filename,
        subdir=row.subdir,
        size=row.size,
        name=row.name,
        version=row.version,
        build_string=row.build_string,
        build_number=row.build_number,
        record=row.record,
        about=row.about,
        content_digest=row.content_digest,
        paths_digest=row.paths_digest,
        build_id=row.build_id,
        publish_attestation=row.publish_attestation,
        build_provenance=row.build_provenance,
        created_at=row.created_at,
        places=tuple(Place(**place._mapping) for place in held),
    )


def origin(connection: Connection, build_id: str | None) -> Origin | None:
    """How a build came to its artifacts; None for files that no build here made."""
    row = connection.execute(select(builds).where(builds.c.id == build_id)).one_or_none()
    if row is None:
        return None
    tried = connection.execute(
        select(attempts)
        .where(attempts.c.build_id == build_id, attempts.c.outcome.in_(("succeeded", "unchanged")))
        .order_by(attempts.c.number)
    )
    return Origin(
        build_id=row.id,
        feedstock=row.feedstock_name,
        feedstock_digest=row.feedstock_digest,
        feedstock_commit=row.feedstock_commit,
        recipe_path=row.recipe_path,
        input_key=row.input_key,
        variant=row.used_variant,
        sources=row.sources,
        submitted_by=row.submitted_by,
        stages=tuple(_stage(attempt) for attempt in tried),
    )


def _stage(row: Row[Any]) -> StageFacts:
    result: JobResult = row.result or JobResult(outcome=row.outcome)
    return StageFacts(
        attempt=row.id,
        stage=row.stage,
        pool=row.pool,
        started_at=row.started_at,
        finished_at=row.finished_at,
        log_digest=row.log_digest,
        usage=result.usage,
        machine=result.machine,
        phases=result.phases,
        warnings=result.warnings,
        locks=result.locks,
    )
