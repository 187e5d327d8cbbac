"""Channels with what they hold and when they last moved."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select

from forgeyard.store.tables import (
    artifacts,
    channels,
    label_members,
    labels,
    publications,
)


class LabelView(msgspec.Struct, frozen=True, kw_only=True):
    """Where a label points, for one subdir."""

    label: str
    subdir: str
    generation: int
    packages: int
    files: int
    published_at: datetime


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """A channel."""

    name: str
    description: str
    created_at: datetime
    #: Package names on the label ``main``.
    packages: int
    #: Files on the label ``main``.
    files: int
    size: int
    published_at: datetime | None
    labels: tuple[LabelView, ...]


class PublishedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was published a while ago."""

    channel: str
    subdir: str
    filename: str
    name: str
    version: str
    sha256: str
    size: int
    build_id: str | None
    at: datetime


def every(connection: Connection) -> list[ChannelView]:
    """All channels, by name."""
    rows = connection.execute(select(channels).order_by(channels.c.name)).all()
    return [_view(connection, row) for row in rows]


def one(connection: Connection, name: str) -> ChannelView | None:
    """The channel of that name."""
    row = connection.execute(select(channels).where(channels.c.name == name)).one_or_none()
    return _view(connection, row) if row is not None else None


def latest(
    connection: Connection, limit: int = 10, channel: str | None = None
) -> list[PublishedFile]:
    """What was published last."""
    query = (
        select(
            channels.c.name.label("channel"),
            label_members.c.subdir,
            label_members.c.filename,
            label_members.c.name,
            artifacts.c.version,
            artifacts.c.sha256,
            artifacts.c.size,
            artifacts.c.build_id,
            label_members.c.added_at.label("at"),
        )
        .join(channels, channels.c.id == label_members.c.channel_id)
        .join(artifacts, artifacts.c.sha256 == label_members.c.sha256)
        .order_by(label_members.c.added_at.desc(), label_members.c.filename)
        .limit(limit)
    )
    if channel is not None:
        query = query.where(channels.c.name == channel)
    return [PublishedFile(**row._mapping) for row in connection.execute(query)]


def _view(connection: Connection, row: Row[Any]) -> ChannelView:
    shown = _labels(connection, row.id)
    main = [label for label in shown if label.label == "main"]
    total = connection.execute(
        select(
            func.count(func.distinct(label_members.c.name)).label("packages"),
            func.count().label("files"),
            func.coalesce(func.sum(artifacts.c.size), 0).label("size"),
        )
        .select_from(label_members)
        .join(artifacts, artifacts.c.sha256 == label_members.c.sha256)
        .where(label_members.c.channel_id == row.id, label_members.c.label == "main")
    ).one()
    return ChannelView(
        name=row.name,
        description=row.description,
        created_at=row.created_at,
        packages=total.packages,
        files=total.files,
        size=int(total.size),
        published_at=max((view.published_at for view in main if view.generation), default=None),
        labels=shown,
    )


def _labels(connection: Connection, channel_id: str) -> tuple[LabelView, ...]:
    held = {
        (row.label, row.subdir): row
        for row in connection.execute(
            select(
                label_members.c.label,
                label_members.c.subdir,
                func.count(func.distinct(label_members.c.name)).label("packages"),
                func.count().label("files"),
            )
            .where(label_members.c.channel_id == channel_id)
            .group_by(label_members.c.label, label_members.c.subdir)
        )
    }
    rows = connection.execute(
        select(
            labels.c.label, labels.c.subdir, publications.c.generation, publications.c.created_at
        )
        .join(publications, publications.c.id == labels.c.publication_id)
        .where(labels.c.channel_id == channel_id)
        .order_by(labels.c.label, labels.c.subdir)
    )
    return tuple(
        LabelView(
            label=row.label,
            subdir=row.subdir,
            generation=row.generation,
            packages=held[row.label, row.subdir].packages if (row.label, row.subdir) in held else 0,
            files=held[row.label, row.subdir].files if (row.label, row.subdir) in held else 0,
            published_at=row.created_at,
        )
        for row in rows
    )
