"""The yard at a glance, the journal and the tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from forgeyard.farm.pool import NOTHING, Pool, Resources
from forgeyard.store.attempts import ALIVE
from forgeyard.store.tables import (
    artifacts,
    attempts,
    channels,
    feedstocks,
    journal,
    label_members,
    members,
    tokens,
)


class PoolView(msgspec.Struct, frozen=True, kw_only=True):
    """A pool and what is in use of it."""

    name: str
    platform: str
    executor: str
    draining: bool
    capacity: Resources
    used: Resources
    #: Attempts that run there.
    attempts: int


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """How much of everything there is."""

    feedstocks: int
    channels: int
    packages: int
    files: int
    artifact_bytes: int


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what, when."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    #: Digest of this entry, which covers the one before.
    digest: str


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret."""

    id: str
    member: str
    kind: str
    label: str
    #: Empty: all that the member may do.
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def pools(connection: Connection, known: Sequence[Pool]) -> list[PoolView]:
    """The pools with what runs there."""
    used = {pool.name: NOTHING for pool in known}
    many = {pool.name: 0 for pool in known}
    for row in connection.execute(
        select(attempts.c.pool, attempts.c.resources).where(attempts.c.state.in_(ALIVE))
    ):
        if row.pool in used:
            used[row.pool] += row.resources
            many[row.pool] += 1
    return [
        PoolView(
            name=pool.name,
            platform=pool.platform,
            executor=pool.executor,
            draining=pool.draining,
            capacity=pool.capacity,
            used=used[pool.name],
            attempts=many[pool.name],
        )
        for pool in known
    ]


def slots(known: Sequence[Pool], cpu: int, memory_bytes: int) -> int:
    """How many builds of that size run at once."""
    return sum(
        min(pool.capacity.cpu // max(cpu, 1), pool.capacity.memory_bytes // max(memory_bytes, 1))
        for pool in known
    )


def totals(connection: Connection) -> Totals:
    """Counts over the whole yard."""

    def count(query: Any) -> int:
        return int(connection.execute(query).scalar_one() or 0)

    return Totals(
        feedstocks=count(
            select(func.count()).select_from(feedstocks).where(feedstocks.c.removed_at.is_(None))
        ),
        channels=count(select(func.count()).select_from(channels)),
        packages=count(select(func.count(func.distinct(label_members.c.name)))),
        files=count(select(func.count()).select_from(label_members)),
        artifact_bytes=count(select(func.sum(artifacts.c.size))),
    )


def journal_entries(
    connection: Connection,
    *,
    subject: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[JournalEntry]:
    """The newest entries with ``seq`` below ``before``, oldest first."""
    query = select(journal).order_by(journal.c.seq.desc()).limit(limit)
    if subject is not None:
        query = query.where(journal.c.subject == subject)
    if before is not None:
        query = query.where(journal.c.seq < before)
    return [
        JournalEntry(
            seq=row.seq,
            at=row.at,
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            detail=row.detail,
            digest=row.digest,
        )
        for row in reversed(connection.execute(query).all())
    ]


def token_list(connection: Connection) -> list[TokenView]:
    """All tokens, newest first."""
    rows = connection.execute(
        select(tokens, members.c.name.label("member"), members.c.kind)
        .join(members, members.c.id == tokens.c.member_id)
        .order_by(tokens.c.created_at.desc())
    )
    return [
        TokenView(
            id=row.id,
            member=row.member,
            kind=row.kind,
            label=row.label,
            scopes=tuple(row.scopes),
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
        )
        for row in rows
    ]
