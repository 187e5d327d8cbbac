"""The journal: what was done, by whom and when, in a chain that shows any later change.

Each entry holds the digest of the one before and its own digest over everything in it, as
canonical JSON (sorted keys, no spaces, UTF-8).  Changing, removing or moving an entry
breaks the chain at that place.  Cutting off the end does not: for that, write the newest
digest down somewhere else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from forgeyard.errors import BadInput

#: ``previous`` of the first entry.
GENESIS = "0" * 64


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done."""

    #: Counts from 1 without gaps.
    seq: int
    at: datetime
    #: Name of the actor.
    actor: str
    #: Such as ``channel.publish``.
    action: str
    #: Such as ``feedstock:zlib``.
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
    """The digest of an entry after the one with digest ``previous``.

    ``detail`` must be JSON, so that it is the same when read back.  Raises BadInput.
    """
    if at.tzinfo is None:
        raise ValueError("the instant of a journal entry has no time zone")
    fields: dict[str, Any] = {
        "previous": previous,
        "seq": seq,
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": actor,
        "action": action,
        "subject": subject,
    }
    try:
        # As it will be read back: keys are text, tuples are lists.
        fields["detail"] = json.loads(json.dumps(detail, allow_nan=False))
        # Not msgspec: the form must stay the same for as long as journals are kept.
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()
    except (TypeError, ValueError) as error:
        raise BadInput(f"This cannot be written into the journal: {error}") from error


def append(
    last: Entry | None,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
) -> Entry:
    """The entry after ``last``."""
    seq, previous = (last.seq + 1, last.digest) if last else (1, GENESIS)
    digest = chain(
        previous, seq=seq, at=at, actor=actor, action=action, subject=subject, detail=detail
    )
    return Entry(
        seq=seq,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        detail=dict(detail),
        previous=previous,
        digest=digest,
    )


def verify(entries: Iterable[Entry], last: Entry | None = None) -> int | None:
    """The first ``seq`` at which the chain is broken, or None if it is whole.

    Checks the entries after ``last`` (from the beginning without it), so that a long
    journal can be read in parts.
    """
    for entry in entries:
        try:
            expected = append(
                last,
                at=entry.at,
                actor=entry.actor,
                action=entry.action,
                subject=entry.subject,
                detail=entry.detail,
            )
        except BadInput:
            return entry.seq
        if (entry.seq, entry.previous, entry.digest) != (
            expected.seq,
            expected.previous,
            expected.digest,
        ):
            return expected.seq
        last = entry
    return None
