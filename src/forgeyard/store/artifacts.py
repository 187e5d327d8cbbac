"""Artifacts: package files by sha256."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from forgeyard.store.tables import artifacts, mirror_sources


def get(connection: Connection, sha256: str) -> Row[Any] | None:
    """One artifact."""
    return connection.execute(select(artifacts).where(artifacts.c.sha256 == sha256)).one_or_none()


def many(connection: Connection, digests: Sequence[str]) -> list[Row[Any]]:
    """Artifacts of these digests."""
    return list(connection.execute(select(artifacts).where(artifacts.c.sha256.in_(list(digests)))))


def add(connection: Connection, **values: Any) -> None:
    """A new artifact, unless the same bytes are known already."""
    if get(connection, values["sha256"]) is None:
        connection.execute(artifacts.insert().values(**values))


def change(connection: Connection, sha256: str, **values: Any) -> None:
    """Set columns of an artifact."""
    connection.execute(update(artifacts).where(artifacts.c.sha256 == sha256).values(**values))


def add_source(connection: Connection, **values: Any) -> None:
    """A file of the source mirror, unless it is there already."""
    known = connection.execute(
        select(mirror_sources.c.sha256).where(mirror_sources.c.sha256 == values["sha256"])
    ).scalar_one_or_none()
    if known is None:
        connection.execute(mirror_sources.insert().values(**values))


def has_source(connection: Connection, sha256: str) -> bool:
    """Whether the source mirror has a file of this digest."""
    return (
        connection.execute(
            select(mirror_sources.c.sha256).where(mirror_sources.c.sha256 == sha256)
        ).scalar_one_or_none()
        is not None
    )
