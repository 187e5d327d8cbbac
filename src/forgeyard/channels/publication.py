"""Publications: the immutable generations of a label's index.

A label points at one publication per subdir.  A new generation differs from the one before
in some shards and in its index, so publishing costs what changed, and going back is
moving a pointer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec

from forgeyard.channels.names import check_channel_name, check_label, check_subdir
from forgeyard.channels.relations import label_relations
from forgeyard.channels.shards import encode_shard_index


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """One generation of one subdir of a label."""

    channel: str
    label: str
    subdir: str
    #: Counts from 0, the empty index that a label is born with.
    generation: int
    #: sha256 (hex) of the shard index.
    index: str
    #: Package name → sha256 (hex) of its shard.
    shards: dict[str, str]
    created_at: datetime


def first_publication(
    channel: str, label: str, subdir: str, now: datetime
) -> tuple[Publication, bytes]:
    """Generation 0 with no packages, and the bytes of its index.

    Made with the label, because clients remember for days that a subdir had no shards.
    """
    check_channel_name(channel)
    check_label(label)
    return _publication(channel, label, check_subdir(subdir), 0, {}, now)


def next_publication(
    previous: Publication, changed: Mapping[str, str | None], now: datetime
) -> tuple[Publication, bytes] | None:
    """The generation after ``previous`` and the bytes of its index.

    ``changed`` maps package names to the sha256 of their new shards, or to None where the
    last package of that name is gone.  None if nothing really changes.
    """
    shards = previous.shards | {name: digest for name, digest in changed.items() if digest}
    for name in (name for name, digest in changed.items() if not digest):
        shards.pop(name, None)
    if shards == previous.shards:
        return None
    return _publication(
        previous.channel,
        previous.label,
        previous.subdir,
        previous.generation + 1,
        shards,
        # A clock that was set back must not make a newer index look older.
        max(now, previous.created_at),
    )


def index_bytes(publication: Publication) -> bytes:
    """The shard index again, byte for byte."""
    return encode_shard_index(
        publication.subdir,
        publication.shards,
        publication.created_at,
        label_relations(publication.label),
    )


def _publication(
    channel: str, label: str, subdir: str, generation: int, shards: dict[str, str], now: datetime
) -> tuple[Publication, bytes]:
    index = encode_shard_index(subdir, shards, now, label_relations(label))
    publication = Publication(
        channel=channel,
        label=label,
        subdir=subdir,
        generation=generation,
        index=hashlib.sha256(index).hexdigest(),
        shards=shards,
        created_at=now,
    )
    return publication, index
