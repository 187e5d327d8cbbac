"""One publication, read once per request, and the documents that are made of it.

Whatever a client asks for in a subdir comes from one immutable publication, so nobody
sees half of a publish.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from forgeyard.actions.yard import Yard
from forgeyard.channels.names import KNOWN_SUBDIRS, MAIN_LABEL
from forgeyard.channels.publication import first_publication
from forgeyard.channels.record import Entry
from forgeyard.channels.shards import decode_shard, decode_shard_index
from forgeyard.errors import NotFound
from forgeyard.store import channels
from forgeyard.store.tables import labels


class Resolved(msgspec.Struct, frozen=True, kw_only=True):
    """The publication that a label points at now."""

    channel: str
    channel_id: str
    label: str
    subdir: str
    #: sha256 of the shard index.
    digest: str
    #: The index itself, where nothing was ever published: the empty one.
    index: bytes | None
    created_at: datetime


def resolve(yard: Yard, channel: str, label: str, subdir: str) -> Resolved:
    """What a label's subdir is now.  Raises NotFound.

    A subdir that clients know is there from a channel's first second, if only empty:
    they remember for days that it was not.
    """
    with yard.store.read() as connection:
        row = known_channel(connection, channel, label)
        publication = channels.current_publication(connection, row.id, label, subdir)
    if subdir not in KNOWN_SUBDIRS:
        raise NotFound(f"'{subdir}' is not a subdir", code="subdir_unknown")
    index: bytes | None = None
    if publication is None:
        empty, index = first_publication(channel, label, subdir, row.created_at)
        digest, created_at = empty.index, row.created_at
    else:
        digest, created_at = publication.index_digest, publication.created_at
    return Resolved(
        channel=channel,
        channel_id=row.id,
        label=label,
        subdir=subdir,
        digest=digest,
        index=index,
        created_at=created_at,
    )


def known_channel(connection: Connection, channel: str, label: str) -> Row[Any]:
    """The channel's row.  Raises NotFound when it, or its label, is not there."""
    row = channels.by_name(connection, channel)
    if row is None:
        raise NotFound(f"there is no channel {channel}", code="channel_unknown")
    if (
        label != MAIN_LABEL
        and not connection.execute(
            select(labels.c.label).where(labels.c.channel_id == row.id, labels.c.label == label)
        ).first()
    ):
        raise NotFound(f"the channel {channel} has no label {label}", code="label_unknown")
    return row


def index_of(yard: Yard, resolved: Resolved) -> bytes:
    """The shard index's bytes."""
    return resolved.index if resolved.index is not None else yard.objects.get(resolved.digest)


def entries_of(yard: Yard, resolved: Resolved) -> tuple[dict[str, Entry], list[str]]:
    """Every entry of a publication, and the file names taken out."""
    entries: dict[str, Entry] = {}
    removed: list[str] = []
    for digest in decode_shard_index(index_of(yard, resolved)).shards.values():
        more, gone = decode_shard(yard.objects.get(digest))
        entries |= more
        removed += gone
    return entries, removed
