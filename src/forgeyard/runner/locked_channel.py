"""Lays out exactly the locked packages for the sandbox, as channels and as a cache.

One channel per real channel, in the same order, each with a ``repodata.json`` of the
locked records only; ``base_url`` (CEP 15) keeps the packages' true addresses in the lock
that rattler-build writes into the package.  Nothing is downloaded inside: each package
stands in the cache already, as a read-only mount of the store.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

#: Where the sandbox shows the channels.
ROOT = "/channel"


class LockedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One package of a lock with all that the channel says of it."""

    #: Address of its channel, without the subdir.
    channel: str
    url: str
    #: The record of repodata.json, with its ``run_exports``.
    record: dict[str, Any]

    @property
    def sha256(self) -> str:
        """Digest of the package file."""
        return str(self.record["sha256"])

    @property
    def file_name(self) -> str:
        """Last part of the address."""
        return urllib.parse.unquote(self.url.rsplit("/", 1)[-1])

    @property
    def stem(self) -> str:
        """``NAME-VERSION-BUILD``: its directory in a package cache."""
        record = self.record
        return f"{record['name']}-{record['version']}-{record['build']}"


def lay_out(
    channels: Iterable[str],
    records: Iterable[LockedRecord],
    subdirs: Iterable[str],
    into: Path,
    *,
    with_files: bool = False,
) -> list[str]:
    """Write the channels below ``into``; their addresses as the sandbox sees them.

    ``with_files``: the package files lie beside the repodata (downstream tests read them).
    """
    records = list(records)
    addresses = []
    for position, channel in enumerate(channels):
        name = f"{position}-{_plain_name(channel)}" if position else _plain_name(channel)
        for subdir in dict.fromkeys([*subdirs, "noarch"]):
            folder = into / name / subdir
            folder.mkdir(parents=True)
            own = [
                each
                for each in records
                if each.channel == channel and each.record["subdir"] == subdir
            ]
            (folder / "repodata.json").write_text(
                json.dumps(_repodata(subdir, own, with_files=with_files))
            )
        addresses.append(f"file://{ROOT}/{name}")
    return addresses


def _plain_name(channel: str) -> str:
    name = urllib.parse.urlsplit(channel).path.rstrip("/").rsplit("/", 1)[-1]
    return name or "channel"


def _repodata(subdir: str, records: list[LockedRecord], *, with_files: bool) -> dict[str, Any]:
    info: dict[str, str] = {"subdir": subdir}
    if records and not with_files:
        info["base_url"] = records[0].url.rsplit("/", 1)[0] + "/"
    kinds: dict[str, dict[str, Any]] = {"packages": {}, "packages.conda": {}}
    for each in records:
        kind = "packages.conda" if each.file_name.endswith(".conda") else "packages"
        kinds[kind][each.file_name] = each.record
    return {"info": info, **kinds, "repodata_version": 2}


def write_cache_locks(records: Iterable[LockedRecord], cache: Path) -> None:
    """What rattler keeps beside each entry of a package cache: revision and sha256."""
    packages = cache / "pkgs"
    packages.mkdir(parents=True, exist_ok=True)
    for each in records:
        lock = packages / f"{each.stem}.lock"
        lock.write_bytes((1).to_bytes(8, "big") + bytes.fromhex(each.sha256))
