"""Permissions: roles give them, a token's scopes narrow them."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from forgeyard.errors import Forbidden
from forgeyard.governance.actor import Actor


class Permission(StrEnum):
    """What an action asks for; also the scopes that a token can have."""

    READ = "read"
    FEEDSTOCK_WRITE = "feedstock:write"
    BUILD_SUBMIT = "build:submit"
    BUILD_CANCEL = "build:cancel"
    CHANNEL_PUBLISH = "channel:publish"
    MEMBER_WRITE = "member:write"
    TOKEN_WRITE = "token:write"  # noqa: S105
    YARD_ADMIN = "yard:admin"


class Role(StrEnum):
    """What a member is in the yard as a whole."""

    OWNER = "owner"
    MAINTAINER = "maintainer"
    MEMBER = "member"


_MAINTAINER = frozenset(
    {
        Permission.READ,
        Permission.FEEDSTOCK_WRITE,
        Permission.BUILD_SUBMIT,
        Permission.BUILD_CANCEL,
        Permission.CHANNEL_PUBLISH,
    }
)
PERMISSIONS_OF: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.MAINTAINER: _MAINTAINER,
    Role.MEMBER: frozenset({Permission.READ}),
}
#: What the maintainers of a feedstock may do to it, whatever their role in the yard.
OF_OWN_FEEDSTOCK = frozenset(
    {Permission.FEEDSTOCK_WRITE, Permission.BUILD_SUBMIT, Permission.BUILD_CANCEL}
)


def allowed(actor: Actor, permission: Permission, maintainers: Collection[str] = ()) -> bool:
    """Whether the actor may; ``maintainers`` are those of the feedstock concerned."""
    if actor.scopes and permission not in actor.scopes:
        return False
    if any(permission in PERMISSIONS_OF[Role(role)] for role in actor.roles):
        return True
    return permission in OF_OWN_FEEDSTOCK and actor.name in maintainers


def require(actor: Actor, permission: Permission, maintainers: Collection[str] = ()) -> None:
    """Raise Forbidden, with who could, unless the actor may."""
    if allowed(actor, permission, maintainers):
        return
    if actor.scopes and permission not in actor.scopes:
        raise Forbidden(
            f"this token of {actor.name} is not good for {permission.value}",
            code="scope_missing",
            hint=f"Its scopes are {', '.join(actor.scopes)}; make one with "
            f"'forgeyard token create --scope {permission.value}'.",
        )
    roles = [role.value for role in Role if permission in PERMISSIONS_OF[role]]
    could = [f"a member with the role {' or '.join(roles)}"]
    if permission in OF_OWN_FEEDSTOCK and maintainers:
        could.append(f"its maintainers ({', '.join(sorted(maintainers))})")
    raise Forbidden(
        f"{actor.name} may not do this: it needs {permission.value}",
        code="permission_missing",
        hint=f"Ask {' or '.join(could)}.",
    )
