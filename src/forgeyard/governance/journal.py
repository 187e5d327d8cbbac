"""The journal's chain: each entry's digest covers its content and the entry before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

#: What the first entry names as the one before it.
GENESIS = "0" * 64


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One action that was done."""

    seq: int
    at: datetime
    actor: str
    #: ``noun.verb``, such as ``build.submit``.
    action: str
    #: ``kind:name``, such as ``feedstock:zlib``.
    subject: str
    detail: dict[str, Any]
    previous: str
    digest: str


def chain(
    previous: str,
    *,
    seq: int,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
) -> str:
    """sha256 (hex) over the canonical JSON of an entry."""
    content = {
        "previous": previous,
        "seq": seq,
        "at": at,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": detail,
    }
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def verify(entries: Iterable[Entry], previous: str = GENESIS, seq: int = 0) -> int | None:
    """The ``seq`` of the first entry that was altered, removed or put in; None if all is well.

    ``previous`` and ``seq`` are those of the entry before the first one given.
    """
    for entry in entries:
        seq += 1
        expected = chain(
            previous,
            seq=seq,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            detail=entry.detail,
        )
        if (entry.seq, entry.previous, entry.digest) != (seq, previous, expected):
            return seq
        previous = entry.digest
    return None
