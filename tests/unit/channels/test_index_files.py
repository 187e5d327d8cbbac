"""The files of an index: shards (CEP 16), repodata (CEP 36), run exports (CEP 12), notices."""

from __future__ import annotations

import hashlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import zstandard

from forgeyard.channels.frame import decode_zst, encode_zst
from forgeyard.channels.notices import Notice, encode_notices
from forgeyard.channels.relations import label_relations
from forgeyard.channels.repodata import encode_repodata
from forgeyard.channels.run_exports import encode_run_exports
from forgeyard.channels.shards import (
    BadShard,
    decode_shard,
    decode_shard_index,
    encode_shard,
    encode_shard_index,
    shard_filename,
)
from forgeyard.errors import BadInput

NOW = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1",
        "build": "0",
        "build_number": 0,
        "depends": [],
        "subdir": "linux-64",
        "size": 5,
        "sha256": "ab" * 32,
        "md5": "cd" * 16,
        **more,
    }


ENTRIES = {
    "a-1-0.conda": entry("a", run_exports={"weak": ["a >=1"]}),
    "a-1-0.tar.bz2": entry("a"),
}


class TestShard:
    def test_digests_are_raw_bytes(self) -> None:
        """Its hashes are converted from hex to bytes to reduce the size (CEP 16)."""
        shard = msgspec.msgpack.decode(zstandard.decompress(encode_shard(ENTRIES).bytes))
        packed = shard["packages.conda"]["a-1-0.conda"]
        assert packed["sha256"] == b"\xab" * 32
        assert packed["md5"] == b"\xcd" * 16
        assert list(shard["packages"]) == ["a-1-0.tar.bz2"]

    def test_its_name_is_the_digest_of_the_compressed_bytes(self) -> None:
        shard = encode_shard(ENTRIES)
        assert shard.sha256 == hashlib.sha256(shard.bytes).hexdigest()
        assert shard_filename(shard.sha256) == f"shards/{shard.sha256}.msgpack.zst"

    def test_reads_back(self) -> None:
        entries, removed = decode_shard(encode_shard(ENTRIES, ["a-0-0.conda"]).bytes)
        assert entries == ENTRIES
        assert removed == ["a-0-0.conda"]

    def test_same_entries_give_the_same_bytes(self) -> None:
        backwards = {name: dict(reversed(e.items())) for name, e in reversed(ENTRIES.items())}
        assert encode_shard(backwards) == encode_shard(ENTRIES)

    def test_one_frame_with_its_content_size(self) -> None:
        data = encode_shard(ENTRIES).bytes
        assert zstandard.frame_content_size(data) > 0
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        decompressor.decompress(data)
        assert decompressor.eof
        assert decompressor.unused_data == b""

    def test_one_that_clients_would_refuse(self) -> None:
        with pytest.raises(BadShard) as caught:
            encode_shard({"a-1-0.conda": entry("a", depends=["x" * 2**20] * 17)})
        assert caught.value.code == "shard_too_large"

    def test_junk(self) -> None:
        for data in (b"", b"junk", encode_zst(b"junk"), encode_zst(b"\x90")):
            with pytest.raises(BadInput):
                decode_shard(data)


class TestShardIndex:
    def test_states_what_clients_ask_for(self) -> None:
        data = encode_shard_index("linux-64", {"a": "12" * 32}, NOW)
        assert msgspec.msgpack.decode(zstandard.decompress(data)) == {
            "version": 1,
            "info": {
                "subdir": "linux-64",
                "base_url": "./",
                "shards_base_url": "./shards/",
                "created_at": "2026-11-22T18:30:00.000000Z",
            },
            "shards": {"a": b"\x12" * 32},
        }

    def test_reads_back(self) -> None:
        relations = label_relations("rc")
        index = decode_shard_index(encode_shard_index("noarch", {"a": "12" * 32}, NOW, relations))
        assert index.subdir == "noarch"
        assert index.shards == {"a": "12" * 32}
        assert index.created_at == NOW
        assert index.channel_relations == {"overrides": "../.."}

    def test_junk(self) -> None:
        with pytest.raises(BadShard):
            decode_shard_index(encode_zst(msgspec.msgpack.encode({"shards": 1})))

    def test_an_instant_without_a_zone(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            encode_shard_index("noarch", {}, datetime(2026, 1, 1))  # noqa: DTZ001


def test_repodata_is_version_1_and_leaves_run_exports_out() -> None:
    plain = {k: v for k, v in ENTRIES["a-1-0.conda"].items() if k != "run_exports"}
    assert json.loads(encode_repodata("linux-64", ENTRIES, ["a-0-0.conda"])) == {
        "info": {"subdir": "linux-64"},
        "packages": {"a-1-0.tar.bz2": ENTRIES["a-1-0.tar.bz2"]},
        "packages.conda": {"a-1-0.conda": plain},
        "removed": ["a-0-0.conda"],
        "repodata_version": 1,
    }


def test_a_label_points_to_its_channel_in_both_forms() -> None:
    """Relations declared in both MUST be consistent (CEP 42)."""
    assert label_relations("main") is None
    assert label_relations("rc/numpy") == {"overrides": "../../.."}
    repodata = json.loads(encode_repodata("noarch", {}, (), label_relations("rc")))
    assert repodata["info"]["channel_relations"] == {"overrides": "../.."}


def test_run_exports_list_every_package() -> None:
    """Every package is listed, with an empty dict when there are none (CEP 12)."""
    assert json.loads(encode_run_exports("linux-64", ENTRIES)) == {
        "info": {"platform": "linux", "arch": "x86_64", "subdir": "linux-64", "version": 1},
        "packages": {"a-1-0.tar.bz2": {"run_exports": {}}},
        "packages.conda": {"a-1-0.conda": {"run_exports": {"weak": ["a >=1"]}}},
    }


def test_notices() -> None:
    assert json.loads(encode_notices()) == {"notices": []}
    notice = Notice(id="1", message="m", level="info", created_at=NOW, expires_at=NOW)
    assert (
        json.loads(encode_notices([notice]))["notices"][0]["expires_at"] == "2026-11-22T18:30:00Z"
    )


class TestFrame:
    def test_there_and_back(self) -> None:
        data = b"conda" * 10_000
        assert decode_zst(encode_zst(data)) == data

    def test_window_stays_within_what_old_decoders_read(self) -> None:
        data = bytes(16 * 2**20)
        for level in (1, 9, 22):
            parameters = zstandard.get_frame_parameters(encode_zst(data, level))
            assert parameters.window_size <= 8 * 2**20

    def test_refuses_a_frame_that_is_too_large(self) -> None:
        with pytest.raises(BadInput, match="more than"):
            decode_zst(encode_zst(bytes(1000)), most=999)

    def test_refuses_a_frame_of_unknown_size(self) -> None:
        buffer = io.BytesIO()
        with zstandard.ZstdCompressor().stream_writer(buffer, closefd=False) as writer:
            writer.write(b"x")
        with pytest.raises(BadInput, match="size"):
            decode_zst(buffer.getvalue())
