"""The key of a build: one hash over all that goes into it.

Two builds with the same key would do the same work, so the second one is not started;
and the failure of a script is remembered under it until an input changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

#: Raised when a change of Forgeyard itself changes what builds make.
_FORMAT = 1


def input_key(
    *,
    feedstock: str,
    filename: str,
    subdir: str,
    build_platform: str,
    used_variant: Mapping[str, Any],
    document: Mapping[str, Any],
    channel: str,
) -> str:
    """sha256 (hex) of the inputs.

    ``feedstock`` is the digest of the feedstock's files, ``document`` the rendered recipe
    (which holds the digests of its sources) and ``filename`` the name of what is made.
    """
    inputs = {
        "format": _FORMAT,
        "feedstock": feedstock,
        "filename": filename,
        "subdir": subdir,
        "build_platform": build_platform,
        "variant": {key: used_variant[key] for key in sorted(used_variant)},
        "recipe": document,
        "channel": channel,
    }
    return hashlib.sha256(msgspec.json.encode(inputs, order="deterministic")).hexdigest()
