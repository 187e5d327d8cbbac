"""Feedstocks, the outputs they own, and evaluations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from forgeyard.store.tables import evaluations, feedstocks, outputs


def by_name(connection: Connection, name: str) -> Row[Any] | None:
    """The feedstock of that name that has not been removed."""
    return connection.execute(
        select(feedstocks).where(feedstocks.c.name == name, feedstocks.c.removed_at.is_(None))
    ).one_or_none()


def active(connection: Connection, names: Sequence[str] = ()) -> list[Row[Any]]:
    """Feedstocks in the order of their names; all of them when no name is given."""
    query = select(feedstocks).where(feedstocks.c.removed_at.is_(None))
    if names:
        query = query.where(feedstocks.c.name.in_(names))
    return list(connection.execute(query.order_by(feedstocks.c.name)))


def put(connection: Connection, existing_id: str | None, **values: Any) -> None:
    """Add a feedstock, or bring the existing one up to date."""
    if existing_id is None:
        connection.execute(feedstocks.insert().values(**values))
    else:
        connection.execute(
            update(feedstocks).where(feedstocks.c.id == existing_id).values(**values)
        )


def any_by_name(connection: Connection, name: str) -> Row[Any] | None:
    """The feedstock of that name, removed or not."""
    return connection.execute(select(feedstocks).where(feedstocks.c.name == name)).one_or_none()


def remove(connection: Connection, feedstock_id: str, at: datetime) -> None:
    """Mark as removed and free the names of its outputs."""
    connection.execute(
        update(feedstocks).where(feedstocks.c.id == feedstock_id).values(removed_at=at)
    )
    connection.execute(delete(outputs).where(outputs.c.feedstock_id == feedstock_id))


def owners(connection: Connection, names: Iterable[str]) -> dict[str, str]:
    """Output name → name of the feedstock that owns it."""
    rows = connection.execute(
        select(outputs.c.name, feedstocks.c.name.label("owner"))
        .join(feedstocks, feedstocks.c.id == outputs.c.feedstock_id)
        .where(outputs.c.name.in_(list(names)))
    )
    return {row.name: row.owner for row in rows}


def outputs_of(connection: Connection, feedstock_id: str) -> list[str]:
    """Names that a feedstock owns."""
    return list(
        connection.execute(
            select(outputs.c.name)
            .where(outputs.c.feedstock_id == feedstock_id)
            .order_by(outputs.c.name)
        ).scalars()
    )


def own(connection: Connection, feedstock_id: str, names: Iterable[str]) -> None:
    """Give names that nobody owns to a feedstock."""
    rows = [{"name": name, "feedstock_id": feedstock_id} for name in names]
    if rows:
        connection.execute(outputs.insert(), rows)


def evaluation(connection: Connection, key: str) -> str | None:
    """The stored answer of the renderer as JSON."""
    return connection.execute(
        select(evaluations.c.answer).where(evaluations.c.key == key)
    ).scalar_one_or_none()


def keep_evaluation(connection: Connection, **values: Any) -> None:
    """Store an answer of the renderer, unless it is stored already."""
    if evaluation(connection, values["key"]) is None:
        connection.execute(evaluations.insert().values(**values))
