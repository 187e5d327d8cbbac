"""``run_exports.json`` (CEP 12; patched ones as CEP 21 allows)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from forgeyard.channels.names import KNOWN_SUBDIRS
from forgeyard.channels.record import Entry


def encode_run_exports(subdir: str, entries: Mapping[str, Entry]) -> bytes:
    """The document; every package is listed, with ``{}`` when it exports nothing."""
    platform, arch = KNOWN_SUBDIRS.get(subdir, (None, None))
    packages: dict[str, Any] = {}
    packages_conda: dict[str, Any] = {}
    for filename in sorted(entries):
        kind = packages_conda if filename.endswith(".conda") else packages
        kind[filename] = {"run_exports": entries[filename].get("run_exports") or {}}
    return msgspec.json.encode(
        {
            "info": {"platform": platform, "arch": arch, "subdir": subdir, "version": 1},
            "packages": packages,
            "packages.conda": packages_conda,
        }
    )
