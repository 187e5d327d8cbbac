"""Whatever is published, taken out and published again, an index says what is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from forgeyard.channels.publication import first_publication, index_bytes, next_publication
from forgeyard.channels.shards import (
    decode_shard,
    decode_shard_index,
    encode_shard,
    shard_filename,
)

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
names = st.sampled_from(["a", "b", "c", "lib-d"])
steps = st.lists(
    st.dictionaries(names, st.sets(st.integers(0, 3), max_size=3), min_size=1, max_size=3),
    max_size=8,
)


def entry(name: str, build: int) -> dict[str, Any]:
    return {"name": name, "build_number": build, "sha256": f"{build:064x}", "md5": f"{build:032x}"}


@given(steps)
def test_index_and_shards_equal_what_is_there(steps: list[dict[str, set[int]]]) -> None:
    publication, index = first_publication("lab", "main", "noarch", BEGAN)
    there: dict[str, dict[str, dict[str, Any]]] = {}
    served: dict[str, bytes] = {}
    for number, step in enumerate(steps):
        changed: dict[str, str | None] = {}
        for name, builds in step.items():
            entries = {f"{name}-1-{build}.conda": entry(name, build) for build in builds}
            shard = encode_shard(entries)
            served[shard_filename(shard.sha256)] = shard.bytes
            changed[name] = shard.sha256 if entries else None
            there[name] = entries
        before = publication
        following = next_publication(before, changed, BEGAN + timedelta(seconds=number))
        if following is not None:
            publication, index = following
            assert publication.generation == before.generation + 1
            assert publication.index != before.index
    told = {
        name: decode_shard(served[shard_filename(digest)])[0]
        for name, digest in decode_shard_index(index).shards.items()
    }
    assert told == {name: entries for name, entries in there.items() if entries}
    assert index_bytes(publication) == index
