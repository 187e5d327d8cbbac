"""Who does something."""

from __future__ import annotations

from typing import Literal

import msgspec

ActorKind = Literal["person", "bot", "system"]


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """A member as they act now: with all their roles, or narrowed by a token."""

    id: str
    name: str
    kind: ActorKind
    #: Names of `Role`.
    roles: tuple[str, ...] = ()
    #: Permissions that the token is limited to (``build:submit``, ``build:*``); empty: no limit.
    scopes: tuple[str, ...] = ()
