"""Publications: generations of an index that never change."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from forgeyard.channels.names import BadName
from forgeyard.channels.publication import first_publication, index_bytes, next_publication
from forgeyard.channels.shards import decode_shard_index

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
A, B, C = ("0a" * 32, "0b" * 32, "0c" * 32)


def test_a_label_is_born_with_an_empty_index() -> None:
    publication, data = first_publication("lab", "main", "noarch", NOW)
    assert publication.generation == 0
    assert publication.index == hashlib.sha256(data).hexdigest()
    assert decode_shard_index(data).shards == {}


def test_a_publish_changes_the_named_shards_only() -> None:
    first, _ = first_publication("lab", "main", "noarch", NOW)
    second = next_publication(first, {"a": A, "b": B}, LATER)
    assert second is not None
    third = next_publication(second[0], {"a": C}, LATER)
    assert third is not None
    assert third[0].shards == {"a": C, "b": B}
    assert third[0].generation == 2
    assert decode_shard_index(third[1]).shards == {"a": C, "b": B}
    assert second[0].shards == {"a": A, "b": B}


def test_the_last_package_of_a_name_goes() -> None:
    first, _ = first_publication("lab", "main", "noarch", NOW)
    second = next_publication(first, {"a": A, "b": B}, NOW)
    assert second is not None
    third = next_publication(second[0], {"a": None}, NOW)
    assert third is not None
    assert third[0].shards == {"b": B}


def test_nothing_new_is_no_generation() -> None:
    first, _ = first_publication("lab", "main", "noarch", NOW)
    second = next_publication(first, {"a": A}, NOW)
    assert second is not None
    assert next_publication(second[0], {"a": A, "never": None}, LATER) is None


def test_time_does_not_run_backwards() -> None:
    first, _ = first_publication("lab", "main", "noarch", LATER)
    second = next_publication(first, {"a": A}, NOW)
    assert second is not None
    assert second[0].created_at == LATER


def test_the_index_can_be_made_again() -> None:
    first, _ = first_publication("lab", "rc", "noarch", NOW)
    second = next_publication(first, {"a": A}, LATER)
    assert second is not None
    assert index_bytes(second[0]) == second[1]
    assert decode_shard_index(second[1]).channel_relations == {"overrides": "../.."}


def test_names_are_checked() -> None:
    for channel, label, subdir in (
        ("Lab", "main", "noarch"),
        ("l", "9", "noarch"),
        ("l", "x", "y"),
    ):
        with pytest.raises(BadName):
            first_publication(channel, label, subdir, NOW)
