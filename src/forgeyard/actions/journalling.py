"""Writing the journal inside an action's transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from forgeyard.governance.actor import Actor
from forgeyard.governance.journal import Entry, append
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
    row = journal.last_entry(connection)
    last = Entry(**row._mapping) if row else None
    entry = append(last, at=at, actor=actor.name, action=action, subject=subject, detail=detail)
    journal.append(connection, **msgspec.structs.asdict(entry))
