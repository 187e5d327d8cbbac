"""Writing the journal inside an action's transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from forgeyard.governance.actor import Actor
from forgeyard.governance.journal import GENESIS, chain
from forgeyard.store import journal


def write_journal(
    connection: Connection,
    at: datetime,
    actor: Actor,
    action: str,
    subject: str,
    **detail: Any,
) -> None:
    """Append one entry; its digest covers the entry before it."""
    last = journal.last_entry(connection)
    seq = last.seq + 1 if last else 1
    previous = last.digest if last else GENESIS
    digest = chain(
        previous,
        seq=seq,
        at=at,
        actor=actor.name,
        action=action,
        subject=subject,
        detail=detail,
    )
    journal.append(
        connection,
        seq=seq,
        at=at,
        actor=actor.name,
        action=action,
        subject=subject,
        detail=detail,
        previous=previous,
        digest=digest,
    )
