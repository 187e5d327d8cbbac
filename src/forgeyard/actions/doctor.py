"""Examine a yard: is the database whole, is every object there, does the journal hold?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from enum import StrEnum

import msgspec
from sqlalchemy import Column, Connection, Table, select
from sqlalchemy.exc import DatabaseError

from forgeyard.actions.yard import Yard
from forgeyard.errors import Unavailable
from forgeyard.governance.journal import Entry, verify
from forgeyard.store import journal, tables

#: Below this a yard says so before builds start to fail.
_LOW_DISK_BYTES = 2 * 2**30
_JOURNAL_PIECE = 5000


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it should be, with its remedy."""

    code: str
    severity: Severity
    message: str
    hint: str


class _Reference(msgspec.Struct, frozen=True, kw_only=True):
    """A column that names objects by digest."""

    table: Table
    column: Column[str]
    what: str
    remedy: str


_REBUILD = (
    "Restore the object from a backup, or build it again: 'forgeyard build --force FEEDSTOCK'."
)
_REFERENCES = (
    _Reference(
        table=tables.artifacts,
        column=tables.artifacts.c.sha256,
        what="the package file of an artifact",
        remedy="Restore it from a backup or a mirror of the channel; its name cannot be reused.",
    ),
    _Reference(
        table=tables.artifacts,
        column=tables.artifacts.c.paths_digest,
        what="the file list of an artifact",
        remedy=_REBUILD,
    ),
    _Reference(
        table=tables.artifacts,
        column=tables.artifacts.c.publish_attestation,
        what="the attestation of an artifact",
        remedy=_REBUILD,
    ),
    _Reference(
        table=tables.artifacts,
        column=tables.artifacts.c.build_provenance,
        what="the build provenance of an artifact",
        remedy=_REBUILD,
    ),
    _Reference(
        table=tables.feedstocks,
        column=tables.feedstocks.c.digest,
        what="the files of a feedstock",
        remedy="Add the feedstock again: 'forgeyard feedstock add PATH'.",
    ),
    _Reference(
        table=tables.mirror_sources,
        column=tables.mirror_sources.c.sha256,
        what="a file of the source mirror",
        remedy="Nothing to do: the next build that needs it fetches it again.",
    ),
    _Reference(
        table=tables.attempts,
        column=tables.attempts.c.log_digest,
        what="the log of an attempt",
        remedy="Restore it from a backup; builds do not need it.",
    ),
    _Reference(
        table=tables.shards,
        column=tables.shards.c.digest,
        what="a shard of the channel",
        remedy="Publish the package again: 'forgeyard build --force FEEDSTOCK'.",
    ),
    _Reference(
        table=tables.publications,
        column=tables.publications.c.index_digest,
        what="the index of a publication",
        remedy="Publish anything to that subdir: the next publication writes a new index.",
    ),
)


def examine(yard: Yard, *, read_all: bool = False) -> list[Finding]:
    """All that is wrong.  ``read_all`` also reads every object and compares its hash."""
    damage = [_damaged(words) for words in yard.store.check()]
    if damage:
        return damage  # nothing else that the database says can be relied on
    try:
        with yard.store.read() as connection:
            return [
                *_disk(yard),
                *_journal(connection),
                *_objects(connection, yard, read_all=read_all),
                *_labels(connection),
            ]
    except (Unavailable, DatabaseError) as error:
        return [_damaged(str(error))]


def _damaged(words: str) -> Finding:
    return Finding(
        code="database_corrupt",
        severity=Severity.ERROR,
        message=f"the database is damaged: {words.splitlines()[0]}",
        hint="Stop the server, keep a copy of yard.db, then restore a backup, or save what can "
        "be read with: sqlite3 yard.db .recover | sqlite3 saved.db; packages, sources and logs "
        "lie unharmed in objects/.",
    )


def _disk(yard: Yard) -> Iterator[Finding]:
    free = shutil.disk_usage(yard.directory).free
    if free < _LOW_DISK_BYTES:
        yield Finding(
            code="disk_low",
            severity=Severity.WARNING,
            message=f"only {free / 2**30:.1f} GiB are free on the disk of the yard",
            hint="Free some space: builds and publications wait when the disk is full.",
        )


def _journal(connection: Connection) -> Iterator[Finding]:
    last: Entry | None = None
    while rows := journal.entries(connection, after=last.seq if last else 0, limit=_JOURNAL_PIECE):
        entries = [Entry(**row._mapping) for row in rows]
        if (bad := verify(entries, last)) is not None:
            yield Finding(
                code="journal_broken",
                severity=Severity.ERROR,
                message=f"the journal's chain breaks at entry {bad}: it was altered or removed",
                hint="Compare with a backup of the database; somebody wrote to it directly.",
            )
            return
        last = entries[-1]


def _objects(connection: Connection, yard: Yard, *, read_all: bool) -> Iterator[Finding]:
    checked: dict[str, str | None] = {}
    for reference in _REFERENCES:
        wanted = connection.execute(
            select(reference.column).where(reference.column.is_not(None)).distinct()
        ).scalars()
        for digest in wanted:
            if digest not in checked:
                checked[digest] = _trouble(yard, digest, read_all=read_all)
            if trouble := checked[digest]:
                yield Finding(
                    code=trouble,
                    severity=Severity.ERROR,
                    message=f"{reference.what} is {trouble.removeprefix('object_')}: {digest}",
                    hint=reference.remedy,
                )


def _trouble(yard: Yard, digest: str, *, read_all: bool) -> str | None:
    if not yard.objects.exists(digest):
        return "object_missing"
    if read_all and not yard.objects.verify(digest):
        return "object_damaged"
    return None


def _labels(connection: Connection) -> Iterator[Finding]:
    lost = connection.execute(
        select(tables.label_members.c.subdir, tables.label_members.c.filename)
        .outerjoin(
            tables.shards,
            (tables.shards.c.channel_id == tables.label_members.c.channel_id)
            & (tables.shards.c.label == tables.label_members.c.label)
            & (tables.shards.c.subdir == tables.label_members.c.subdir)
            & (tables.shards.c.name == tables.label_members.c.name),
        )
        .where(tables.shards.c.digest.is_(None))
    )
    for row in lost:
        yield Finding(
            code="shard_lost",
            severity=Severity.ERROR,
            message=f"{row.subdir}/{row.filename} is on a label but in no shard",
            hint=_REBUILD,
        )
