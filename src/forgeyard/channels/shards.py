"""Sharded repodata (CEP 16, CEP 21): one small file per package name, and their index.

Served as ``SUBDIR/repodata_shards.msgpack.zst`` and ``SUBDIR/shards/SHA256.msgpack.zst``.
A shard's address is the sha256 of its compressed bytes, so it can be cached for ever, and
a publish rewrites the shards of the changed names and the index, nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from forgeyard.channels.frame import decode_zst, encode_zst
from forgeyard.channels.record import Entry
from forgeyard.errors import BadInput

INDEX_FILENAME = "repodata_shards.msgpack.zst"
#: Both addresses are stated and end with a slash: conda and rattler fail otherwise.
BASE_URL = "./"
SHARDS_BASE_URL = "./shards/"

#: conda refuses more (decompressed).
LARGEST_SHARD = 16 * 2**20
LARGEST_INDEX = 100 * 2**20

_BINARY_FIELDS = ("sha256", "md5", "legacy_bz2_md5")
_encoder = msgspec.msgpack.Encoder(order="deterministic")


class BadShard(BadInput):
    """Bytes are not a shard or an index of shards."""

    code = "bad_shard"


class ShardBytes(msgspec.Struct, frozen=True, kw_only=True):
    """A shard, ready to store."""

    bytes: bytes
    #: Hex digest of ``bytes``: the name it is served by.
    sha256: str


class ShardIndex(msgspec.Struct, frozen=True, kw_only=True):
    """What an index of shards says."""

    subdir: str
    #: Package name → sha256 (hex) of its shard.
    shards: dict[str, str]
    created_at: datetime
    channel_relations: dict[str, str] | None = None


class _Shard(msgspec.Struct, frozen=True, kw_only=True):
    packages: dict[str, Entry] = {}
    packages_conda: dict[str, Entry] = msgspec.field(name="packages.conda", default_factory=dict)
    removed: list[str] = []


class _Info(msgspec.Struct, frozen=True, kw_only=True):
    subdir: str
    created_at: datetime
    channel_relations: dict[str, str] | None = None


class _Index(msgspec.Struct, frozen=True, kw_only=True):
    info: _Info
    shards: dict[str, bytes]


_T = TypeVar("_T")


def shard_filename(sha256: str) -> str:
    """Path below the subdir."""
    return f"shards/{sha256}.msgpack.zst"


def encode_shard(entries: Mapping[str, Entry], removed: Iterable[str] = ()) -> ShardBytes:
    """The shard of one package name: file name → entry, and file names taken out.

    The same entries always give the same bytes.
    """
    shard: dict[str, Any] = {"packages": {}, "packages.conda": {}, "removed": sorted(removed)}
    for filename in sorted(entries):
        kind = "packages.conda" if filename.endswith(".conda") else "packages"
        shard[kind][filename] = _to_binary(entries[filename])
    packed = _encoder.encode(shard)
    if len(packed) > LARGEST_SHARD:
        raise BadShard(
            f"The shard has {len(packed)} bytes; clients read at most {LARGEST_SHARD}",
            code="shard_too_large",
            hint="Move old builds of this package to another label.",
        )
    compressed = encode_zst(packed, level=6)
    return ShardBytes(bytes=compressed, sha256=hashlib.sha256(compressed).hexdigest())


def decode_shard(data: bytes) -> tuple[dict[str, Entry], list[str]]:
    """Entries by file name and the removed file names.  Raises BadInput."""
    shard = _decode(data, LARGEST_SHARD, _Shard)
    entries = {
        filename: _from_binary(entry)
        for packages in (shard.packages, shard.packages_conda)
        for filename, entry in packages.items()
    }
    return entries, shard.removed


def encode_shard_index(
    subdir: str,
    shards: Mapping[str, str],
    created_at: datetime,
    channel_relations: Mapping[str, str] | None = None,
) -> bytes:
    """The index: package name → sha256 (hex) of its shard."""
    info: dict[str, Any] = {
        "subdir": subdir,
        "base_url": BASE_URL,
        "shards_base_url": SHARDS_BASE_URL,
        "created_at": _instant(created_at),
    }
    if channel_relations:
        info["channel_relations"] = dict(channel_relations)
    index = {
        "version": 1,
        "info": info,
        # Digests as msgpack's ``bin``: conda refuses arrays of integers.
        "shards": {name: bytes.fromhex(shards[name]) for name in sorted(shards)},
    }
    # Mostly digests, which do not compress: a higher level would only cost time.
    return encode_zst(_encoder.encode(index), level=1)


def decode_shard_index(data: bytes) -> ShardIndex:
    """Read an index back.  Raises BadInput."""
    index = _decode(data, LARGEST_INDEX, _Index)
    return ShardIndex(
        subdir=index.info.subdir,
        shards={name: digest.hex() for name, digest in index.shards.items()},
        created_at=index.info.created_at,
        channel_relations=index.info.channel_relations,
    )


def _to_binary(entry: Entry) -> Entry:
    packed = dict(entry)
    for field in _BINARY_FIELDS:
        value = packed.get(field)
        if isinstance(value, str):
            packed[field] = bytes.fromhex(value)
    return packed


def _from_binary(entry: Entry) -> Entry:
    plain = dict(entry)
    for field in _BINARY_FIELDS:
        value = plain.get(field)
        if isinstance(value, bytes):
            plain[field] = value.hex()
    return plain


def _decode(data: bytes, most: int, kind: type[_T]) -> _T:
    try:
        return msgspec.msgpack.decode(decode_zst(data, most), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadShard(f"Not an index or a shard: {error}") from error


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("created_at has no time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
