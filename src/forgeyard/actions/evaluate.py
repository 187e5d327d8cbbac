"""Evaluation: a feedstock's files × the pinning × a platform → the wanted outputs.

An answer is kept under the digest of all that it came from, so what has not changed is
never rendered again.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from forgeyard import __version__
from forgeyard.actions.yard import Yard
from forgeyard.hosts.directories import unpack_archive
from forgeyard.rendering.protocol import Answer
from forgeyard.rendering.render import render_feedstock
from forgeyard.store import feedstocks

#: Raised when answers of the renderer change their form.
_FORMAT = 2


def pinning_digest(yard: Yard) -> str:
    """One digest over the yard's variant files."""
    digest = hashlib.sha256()
    for file in yard.pinning_files():
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def evaluate(yard: Yard, feedstock: Any, pinning: str, platform: str) -> Answer:
    """What the feedstock makes on a platform.  Raises RecipeProblem."""
    key = hashlib.sha256(
        f"{__version__}\0{_FORMAT}\0{feedstock.digest}\0{pinning}\0{platform}".encode()
    ).hexdigest()
    with yard.store.read() as connection:
        stored = feedstocks.evaluation(connection, key)
    if stored is not None:
        return msgspec.json.decode(stored, type=Answer)
    answer = _render(yard, feedstock, platform)
    with yard.store.write() as connection:
        feedstocks.keep_evaluation(
            connection,
            key=key,
            feedstock_id=feedstock.id,
            feedstock_digest=feedstock.digest,
            pinning_digest=pinning,
            platform=platform,
            answer=msgspec.json.encode(answer).decode(),
            created_at=yard.now(),
        )
    return answer


def _render(yard: Yard, feedstock: Any, platform: str) -> Answer:
    with tempfile.TemporaryDirectory(dir=yard.folder("work")) as scratch:
        folder = Path(scratch) / feedstock.name
        unpack_archive(yard.objects.get(feedstock.digest), folder)
        return render_feedstock(
            folder,
            feedstock.recipe_path,
            yard.pinning_files(),
            build_platform=platform,
            target_platform=platform,
        )
