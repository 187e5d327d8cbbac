"""Members, bots and their tokens."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from forgeyard.actions.journalling import write_journal
from forgeyard.actions.yard import Yard
from forgeyard.errors import BadInput, Conflict, NotFound, Unauthenticated
from forgeyard.governance.actor import Actor
from forgeyard.governance.permission import Permission, Role, check_scopes, require
from forgeyard.governance.token import format_token, parse_token, token_digest
from forgeyard.store import members

#: Who acts when the yard itself does: starts, retries, publishes.
SYSTEM = Actor(id="system", name="yard", kind="system", roles=("owner",))


def authenticate(yard: Yard, token_text: str) -> Actor:
    """The actor of a token.  Raises Unauthenticated."""
    parsed = parse_token(token_text)
    with yard.store.read() as connection:
        row = members.token_with_member(connection, parsed.id) if parsed else None
    digest = token_digest(parsed.secret) if parsed else ""
    if row is None or not secrets.compare_digest(row.digest, digest):
        raise Unauthenticated(
            "this token is not known here",
            code="token_unknown",
            hint="Make one with 'forgeyard token create'.",
        )
    if row.revoked_at is not None or row.disabled_at is not None:
        raise Unauthenticated("this token was revoked", code="token_revoked")
    if row.expires_at is not None and row.expires_at <= yard.now():
        raise Unauthenticated(
            f"this token expired at {row.expires_at:%Y-%m-%d %H:%M} UTC",
            code="token_expired",
            hint="Make a new one with 'forgeyard token create'.",
        )
    return Actor(
        id=row.member_id,
        name=row.member_name,
        kind=row.kind,
        roles=tuple(row.roles),
        scopes=tuple(row.scopes),
    )


def create_member(
    yard: Yard, actor: Actor, name: str, kind: str, roles: Sequence[str] = ("member",)
) -> str:
    """A new person or bot; returns the member's id."""
    require(actor, Permission.MEMBER_WRITE)
    with yard.store.write() as connection:
        return _create_member(connection, yard, actor, name, kind, roles)


def _create_member(
    connection: Connection, yard: Yard, actor: Actor, name: str, kind: str, roles: Sequence[str]
) -> str:
    if members.member_by_name(connection, name) is not None:
        raise Conflict(f"there is a member called {name} already", code="member_exists")
    if unknown := set(roles) - {role.value for role in Role}:
        raise BadInput(
            f"there is no role {', '.join(sorted(unknown))}",
            code="role_unknown",
            hint="Roles: " + ", ".join(role.value for role in Role),
        )
    member_id, now = yard.new_id("m"), yard.now()
    members.add_member(
        connection, id=member_id, name=name, kind=kind, roles=list(roles), created_at=now
    )
    write_journal(
        connection, now, actor, "member.create", f"member:{name}", kind=kind, roles=list(roles)
    )
    return member_id


def create_token(
    yard: Yard,
    actor: Actor,
    member_name: str,
    label: str,
    scopes: Sequence[str],
    lifetime: timedelta | None,
    *,
    make_bot: bool = False,
) -> str:
    """A token for a member; its text is returned this once and never stored.

    ``make_bot`` creates the member as a bot (API only) when there is none of that name.
    """
    require(actor, Permission.TOKEN_WRITE)
    if unknown := check_scopes(scopes):
        raise BadInput(
            f"there is no scope {', '.join(unknown)}",
            code="scope_unknown",
            hint="Scopes: " + ", ".join(permission.value for permission in Permission),
        )
    token_id, secret, now = yard.new_id("t")[2:], secrets.token_hex(24), yard.now()
    with yard.store.write() as connection:
        member = members.member_by_name(connection, member_name)
        if member is None and not make_bot:
            raise NotFound(f"there is no member called {member_name}", code="member_unknown")
        member_id = (
            member.id
            if member
            else _create_member(connection, yard, actor, member_name, "bot", ("maintainer",))
        )
        members.add_token(
            connection,
            id=token_id,
            member_id=member_id,
            label=label,
            digest=token_digest(secret),
            scopes=list(scopes),
            created_at=now,
            expires_at=now + lifetime if lifetime else None,
        )
        write_journal(
            connection,
            now,
            actor,
            "token.create",
            f"member:{member_name}",
            token=token_id,
            label=label,
            scopes=list(scopes),
        )
    return format_token(token_id, secret)


def revoke_token(yard: Yard, actor: Actor, token_id: str) -> None:
    """End a token at once."""
    require(actor, Permission.TOKEN_WRITE)
    with yard.store.write() as connection:
        if not members.revoke_token(connection, token_id, yard.now()):
            raise NotFound(f"there is no working token {token_id}", code="token_unknown")
        write_journal(connection, yard.now(), actor, "token.revoke", f"token:{token_id}")


def found_yard(yard: Yard, owner: str) -> str:
    """Make the first member, the owner, and the channel's row; returns the owner's token."""
    create_member(yard, SYSTEM, owner, "person", ("owner",))
    return create_token(yard, SYSTEM, owner, "made by init", (), None)
