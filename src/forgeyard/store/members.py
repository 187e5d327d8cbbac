"""Members and their tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from forgeyard.store.tables import members, tokens


def member_by_name(connection: Connection, name: str) -> Row[Any] | None:
    """The member of that name."""
    return connection.execute(select(members).where(members.c.name == name)).one_or_none()


def add_member(connection: Connection, **values: Any) -> None:
    """A new member."""
    connection.execute(members.insert().values(**values))


def add_token(connection: Connection, **values: Any) -> None:
    """A new token of a member."""
    connection.execute(tokens.insert().values(**values))


def token_with_member(connection: Connection, token_id: str) -> Row[Any] | None:
    """A token joined with its member (columns ``member_name``, ``kind``, ``roles``…)."""
    return connection.execute(
        select(
            tokens,
            members.c.name.label("member_name"),
            members.c.kind,
            members.c.roles,
            members.c.disabled_at,
        )
        .join(members, members.c.id == tokens.c.member_id)
        .where(tokens.c.id == token_id)
    ).one_or_none()


def revoke_token(connection: Connection, token_id: str, at: datetime) -> bool:
    """End a token; False when there is no such token that still worked."""
    done = connection.execute(
        update(tokens)
        .where(tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    return done.rowcount > 0


def list_tokens(connection: Connection) -> list[Row[Any]]:
    """All tokens with the names of their members, newest first."""
    return list(
        connection.execute(
            select(tokens, members.c.name.label("member_name"), members.c.kind)
            .join(members, members.c.id == tokens.c.member_id)
            .order_by(tokens.c.created_at.desc())
        )
    )
