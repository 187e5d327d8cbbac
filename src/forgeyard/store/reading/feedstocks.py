"""Feedstocks with their outputs and what became of their last builds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, select

from forgeyard.store.tables import builds, feedstocks, outputs


class LastBuild(msgspec.Struct, frozen=True, kw_only=True):
    """The newest build of an output with a variant."""

    id: str
    name: str
    version: str
    build_string: str
    subdir: str
    variant: dict[str, Any]
    state: str
    outcome: str | None
    created_at: datetime
    finished_at: datetime | None


class FeedstockView(msgspec.Struct, frozen=True, kw_only=True):
    """A feedstock in a list."""

    name: str
    origin: str
    outputs: tuple[str, ...]
    maintainers: tuple[str, ...]
    updated_at: datetime
    #: State or outcome → how many of the newest builds are in it.
    health: dict[str, int]
    #: Newest version that was built or asked for.
    version: str | None


class FeedstockDetail(msgspec.Struct, frozen=True, kw_only=True):
    """All about a feedstock."""

    name: str
    origin: str
    origin_path: str
    commit: str | None
    #: sha256 of the archive of its files.
    digest: str
    recipe_path: str
    outputs: tuple[str, ...]
    maintainers: tuple[str, ...]
    added_by: str
    created_at: datetime
    updated_at: datetime
    builds: tuple[LastBuild, ...]


def every(connection: Connection) -> list[FeedstockView]:
    """All feedstocks that have not been removed, by name."""
    rows = connection.execute(
        select(feedstocks).where(feedstocks.c.removed_at.is_(None)).order_by(feedstocks.c.name)
    ).all()
    owned = _outputs(connection)
    last: dict[str, list[Row[Any]]] = {}
    light: Iterable[Row[Any]] = connection.execute(
        select(
            builds.c.id,
            builds.c.feedstock_name,
            builds.c.version,
            builds.c.state,
            builds.c.outcome,
        ).where(builds.c.id.in_(_newest_ids()))
    )
    for build in light:
        last.setdefault(build.feedstock_name, []).append(build)
    return [_view(row, owned.get(row.id, ()), last.get(row.name, [])) for row in rows]


def detail(connection: Connection, name: str) -> FeedstockDetail | None:
    """One feedstock; None when there is none of that name."""
    row = connection.execute(
        select(feedstocks).where(feedstocks.c.name == name, feedstocks.c.removed_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    return FeedstockDetail(
        name=row.name,
        origin=row.origin,
        origin_path=row.origin_path,
        commit=row.commit,
        digest=row.digest,
        recipe_path=row.recipe_path,
        outputs=_outputs(connection).get(row.id, ()),
        maintainers=tuple(row.maintainers),
        added_by=row.added_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        builds=tuple(_last(build) for build in _newest(connection, name)),
    )


def _newest_ids(feedstock: str | None = None) -> Select[Any]:
    """The newest build of each output, variant and platform; ids sort by time."""
    query = select(func.max(builds.c.id)).group_by(
        builds.c.feedstock_name, builds.c.name, builds.c.subdir, builds.c.used_variant
    )
    return query if feedstock is None else query.where(builds.c.feedstock_name == feedstock)


def _newest(connection: Connection, feedstock: str) -> list[Row[Any]]:
    rows = connection.execute(
        select(builds)
        .where(builds.c.id.in_(_newest_ids(feedstock)))
        .order_by(builds.c.name, builds.c.id.desc())
    )
    return list(rows)


def _outputs(connection: Connection) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for row in connection.execute(select(outputs).order_by(outputs.c.name)):
        found[row.feedstock_id] = (*found.get(row.feedstock_id, ()), row.name)
    return found


def _view(row: Row[Any], owned: tuple[str, ...], last: list[Row[Any]]) -> FeedstockView:
    health: dict[str, int] = {}
    for build in last:
        key = build.outcome or build.state
        health[key] = health.get(key, 0) + 1
    return FeedstockView(
        name=row.name,
        origin=row.origin,
        outputs=owned,
        maintainers=tuple(row.maintainers),
        updated_at=row.updated_at,
        health=health,
        version=max(last, key=lambda build: build.id).version if last else None,
    )


def _last(row: Row[Any]) -> LastBuild:
    return LastBuild(
        id=row.id,
        name=row.name,
        version=row.version,
        build_string=row.build_string,
        subdir=row.subdir,
        variant=row.used_variant,
        state=row.state,
        outcome=row.outcome,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
