"""``notices.json`` (CEP 6): what a channel's owner tells its users."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One message, shown by clients until it expires."""

    id: str
    message: str
    level: Literal["info", "warning", "critical"]
    created_at: datetime
    expires_at: datetime


def encode_notices(notices: Iterable[Notice] = ()) -> bytes:
    """The document; with nothing to tell it is an empty list, never absent."""
    return msgspec.json.encode({"notices": list(notices)})
