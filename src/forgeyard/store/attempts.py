"""Attempts: tries at one stage of a build."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from forgeyard.store.tables import attempts

#: An attempt in one of these occupies its pool.
ALIVE = ("submitting", "queued", "running")


def get(connection: Connection, attempt_id: str) -> Row[Any] | None:
    """One attempt."""
    return connection.execute(select(attempts).where(attempts.c.id == attempt_id)).one_or_none()


def of_build(connection: Connection, build_id: str) -> list[Row[Any]]:
    """Attempts of a build, oldest first."""
    return list(
        connection.execute(
            select(attempts).where(attempts.c.build_id == build_id).order_by(attempts.c.number)
        )
    )


def alive(connection: Connection) -> list[Row[Any]]:
    """Attempts that may still be running somewhere."""
    return list(connection.execute(select(attempts).where(attempts.c.state.in_(ALIVE))))


def count_of_build(connection: Connection, build_id: str) -> int:
    """How many attempts a build has had."""
    return connection.execute(
        select(func.count()).select_from(attempts).where(attempts.c.build_id == build_id)
    ).scalar_one()


def add(connection: Connection, **values: Any) -> None:
    """A new attempt."""
    connection.execute(attempts.insert().values(**values))


def change(connection: Connection, attempt_id: str, **values: Any) -> None:
    """Set columns of an attempt."""
    connection.execute(update(attempts).where(attempts.c.id == attempt_id).values(**values))
