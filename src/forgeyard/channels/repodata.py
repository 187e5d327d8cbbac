"""``repodata.json`` (CEP 36) for clients that do not read shards.

Always version 1 and without ``base_url``: older clients read nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from forgeyard.channels.frame import encode_zst
from forgeyard.channels.record import Entry

__all__ = ["encode_repodata", "encode_zst"]


def encode_repodata(
    subdir: str,
    entries: Mapping[str, Entry],
    removed: Iterable[str] = (),
    channel_relations: Mapping[str, str] | None = None,
) -> bytes:
    """The document: file name → entry, and file names taken out.

    Run exports are left out: they belong to shards and to ``run_exports.json``.
    """
    info: dict[str, Any] = {"subdir": subdir}
    if channel_relations:
        info["channel_relations"] = dict(channel_relations)
    packages: dict[str, Entry] = {}
    packages_conda: dict[str, Entry] = {}
    for filename in sorted(entries):
        kind = packages_conda if filename.endswith(".conda") else packages
        kind[filename] = {k: v for k, v in entries[filename].items() if k != "run_exports"}
    return msgspec.json.encode(
        {
            "info": info,
            "packages": packages,
            "packages.conda": packages_conda,
            "removed": sorted(removed),
            "repodata_version": 1,
        }
    )
