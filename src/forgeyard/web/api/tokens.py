"""Tokens of members and bots."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Body, Response

from forgeyard.actions.members import create_token, revoke_token
from forgeyard.errors import BadInput
from forgeyard.governance.permission import Permission, require
from forgeyard.store.reading import overview
from forgeyard.web.authentication import Writer, YardHere
from forgeyard.web.wire import WIRE

router = APIRouter(prefix="/tokens", tags=["tokens"])


class TokenWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to make."""

    #: The member who will use it.
    member: str
    label: str = ""
    #: Permissions that it is limited to; empty: all that the member may do.
    scopes: list[str] = []
    #: Days that it is good for; None: until it is revoked.
    days: float | None = None
    #: Make a bot (an account for programs) when there is no such member.
    make_bot: bool = False


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token's text, told this once."""

    token: str


@router.get("")
def list_tokens(yard: YardHere, actor: Writer) -> Annotated[list[overview.TokenView], WIRE]:
    """All tokens, without their secrets."""
    require(actor, Permission.TOKEN_WRITE)
    with yard.store.read() as connection:
        return overview.token_list(connection)


@router.post("", status_code=201)
def post_token(
    yard: YardHere, actor: Writer, body: Annotated[TokenWish, Body(), WIRE]
) -> Annotated[NewToken, WIRE]:
    """Make a token."""
    if body.days is not None and not 0 < body.days <= 36500:
        raise BadInput("a token lives more than 0 and at most 36500 days", code="days_invalid")
    lifetime = timedelta(days=body.days) if body.days is not None else None
    text = create_token(
        yard, actor, body.member, body.label, body.scopes, lifetime, make_bot=body.make_bot
    )
    return NewToken(token=text)


@router.delete("/{token_id}", status_code=204, response_class=Response)
def delete_token(yard: YardHere, actor: Writer, token_id: str) -> None:
    """End a token at once."""
    revoke_token(yard, actor, token_id)
