"""The journal: append-only, each entry holding the digest of the one before."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from forgeyard.store.tables import journal


def last_entry(connection: Connection) -> Row[Any] | None:
    """The newest entry."""
    return connection.execute(select(journal).order_by(journal.c.seq.desc()).limit(1)).one_or_none()


def append(connection: Connection, **values: Any) -> None:
    """Add one entry."""
    connection.execute(journal.insert().values(**values))


def entries(
    connection: Connection, *, subject: str | None = None, after: int = 0, limit: int = 1000
) -> list[Row[Any]]:
    """Entries with ``seq`` above ``after``, oldest first."""
    query = select(journal).where(journal.c.seq > after).order_by(journal.c.seq).limit(limit)
    if subject is not None:
        query = query.where(journal.c.subject == subject)
    return list(connection.execute(query))
