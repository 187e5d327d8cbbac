"""Whoever acts: a person, a bot, or the yard itself."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["person", "bot", "system"]


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """A member, as known from the token of a request."""

    id: str
    name: str
    kind: Kind = "person"
    roles: tuple[str, ...] = ()
    #: What the token is narrowed to; empty: all that the member may do.
    scopes: tuple[str, ...] = ()
