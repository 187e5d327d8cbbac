"""Channels, labels, their members, shards and publications."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select

from forgeyard.store.tables import (
    artifacts,
    channel_files,
    channels,
    label_members,
    labels,
    publications,
    shards,
)

MAIN = "main"


def by_name(connection: Connection, name: str) -> Row[Any] | None:
    """The channel of that name."""
    return connection.execute(select(channels).where(channels.c.name == name)).one_or_none()


def add(connection: Connection, **values: Any) -> None:
    """A new channel."""
    connection.execute(channels.insert().values(**values))


def file(connection: Connection, channel_id: str, subdir: str, filename: str) -> Row[Any] | None:
    """The artifact that a channel has under a file name (columns of ``artifacts``)."""
    return connection.execute(
        select(artifacts)
        .join(channel_files, channel_files.c.sha256 == artifacts.c.sha256)
        .where(
            channel_files.c.channel_id == channel_id,
            channel_files.c.subdir == subdir,
            channel_files.c.filename == filename,
        )
    ).one_or_none()


def add_file(
    connection: Connection,
    channel_id: str,
    subdir: str,
    filename: str,
    sha256: str,
    at: datetime,
) -> None:
    """Bind a file name to its bytes, for ever."""
    connection.execute(
        channel_files.insert().values(
            channel_id=channel_id, subdir=subdir, filename=filename, sha256=sha256, created_at=at
        )
    )


def add_member(connection: Connection, **values: Any) -> None:
    """Put an artifact on a label, unless it is there."""
    known = connection.execute(
        select(label_members.c.sha256).where(
            label_members.c.channel_id == values["channel_id"],
            label_members.c.label == values["label"],
            label_members.c.subdir == values["subdir"],
            label_members.c.filename == values["filename"],
        )
    ).scalar_one_or_none()
    if known is None:
        connection.execute(label_members.insert().values(**values))


def members_named(
    connection: Connection, channel_id: str, label: str, subdir: str, name: str
) -> list[Row[Any]]:
    """Filename, record and digest of the artifacts of one package name on a label."""
    return list(
        connection.execute(
            select(label_members.c.filename, artifacts.c.sha256, artifacts.c.record)
            .join(artifacts, artifacts.c.sha256 == label_members.c.sha256)
            .where(
                label_members.c.channel_id == channel_id,
                label_members.c.label == label,
                label_members.c.subdir == subdir,
                label_members.c.name == name,
            )
            .order_by(label_members.c.filename)
        )
    )


def members_of(connection: Connection, channel_id: str, label: str, subdir: str) -> list[Row[Any]]:
    """Filename, record and digest of all the artifacts on a label's subdir."""
    return list(
        connection.execute(
            select(label_members.c.filename, artifacts.c.sha256, artifacts.c.record)
            .join(artifacts, artifacts.c.sha256 == label_members.c.sha256)
            .where(
                label_members.c.channel_id == channel_id,
                label_members.c.label == label,
                label_members.c.subdir == subdir,
            )
            .order_by(label_members.c.filename)
        )
    )


def shard_digests(
    connection: Connection, channel_id: str, label: str, subdir: str
) -> dict[str, str]:
    """Package name → digest of its shard."""
    rows = connection.execute(
        select(shards.c.name, shards.c.digest).where(
            shards.c.channel_id == channel_id,
            shards.c.label == label,
            shards.c.subdir == subdir,
        )
    )
    return {row.name: row.digest for row in rows}


def put_shard(
    connection: Connection, channel_id: str, label: str, subdir: str, name: str, digest: str
) -> None:
    """Remember the shard of a name."""
    connection.execute(
        delete(shards).where(
            shards.c.channel_id == channel_id,
            shards.c.label == label,
            shards.c.subdir == subdir,
            shards.c.name == name,
        )
    )
    connection.execute(
        shards.insert().values(
            channel_id=channel_id, label=label, subdir=subdir, name=name, digest=digest
        )
    )


def current_publication(
    connection: Connection, channel_id: str, label: str, subdir: str
) -> Row[Any] | None:
    """The publication that a label points at."""
    return connection.execute(
        select(publications)
        .join(labels, labels.c.publication_id == publications.c.id)
        .where(
            labels.c.channel_id == channel_id, labels.c.label == label, labels.c.subdir == subdir
        )
    ).one_or_none()


def publish(connection: Connection, **values: Any) -> None:
    """Add a publication and point its label at it."""
    connection.execute(publications.insert().values(**values))
    place = (
        labels.c.channel_id == values["channel_id"],
        labels.c.label == values["label"],
        labels.c.subdir == values["subdir"],
    )
    connection.execute(delete(labels).where(*place))
    connection.execute(
        labels.insert().values(
            channel_id=values["channel_id"],
            label=values["label"],
            subdir=values["subdir"],
            publication_id=values["id"],
        )
    )


def names_known(connection: Connection, channel_id: str) -> int:
    """How many files a channel holds."""
    return connection.execute(
        select(func.count())
        .select_from(channel_files)
        .where(channel_files.c.channel_id == channel_id)
    ).scalar_one()
