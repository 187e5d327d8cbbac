"""What an actor may do.

A role gives permissions everywhere; being named as a maintainer of a feedstock gives some
more for that feedstock only; a token's scopes take away, and never give.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from forgeyard.errors import Forbidden
from forgeyard.governance.actor import Actor


class Permission(StrEnum):
    """One thing that can be allowed; also the scope of a token."""

    FEEDSTOCK_READ = "feedstock:read"
    #: Add, change and remove.
    FEEDSTOCK_WRITE = "feedstock:write"
    BUILD_READ = "build:read"
    BUILD_SUBMIT = "build:submit"
    BUILD_CANCEL = "build:cancel"
    CHANNEL_READ = "channel:read"
    #: Publish by hand; what a build made is published by the yard itself.
    CHANNEL_PUBLISH = "channel:publish"
    #: Mark broken, patch, move labels.
    CHANNEL_WRITE = "channel:write"
    JOURNAL_READ = "journal:read"
    MEMBER_WRITE = "member:write"
    TOKEN_WRITE = "token:write"  # noqa: S105 - the name of a permission
    #: Settings, pools, pausing, removing for good.
    YARD_ADMIN = "yard:admin"


class Role(StrEnum):
    """What a member is in the whole yard."""

    OWNER = "owner"
    MAINTAINER = "maintainer"
    MEMBER = "member"


_READ = frozenset(
    {
        Permission.FEEDSTOCK_READ,
        Permission.BUILD_READ,
        Permission.CHANNEL_READ,
        Permission.JOURNAL_READ,
    }
)
#: What maintainers of a feedstock may do with it, whatever their role.
_WITH_OWN_FEEDSTOCK = frozenset(
    {Permission.FEEDSTOCK_WRITE, Permission.BUILD_SUBMIT, Permission.BUILD_CANCEL}
)
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.MAINTAINER: _READ | _WITH_OWN_FEEDSTOCK | {Permission.CHANNEL_WRITE},
    Role.MEMBER: _READ,
}


def allowed(actor: Actor, permission: Permission, maintainers: Collection[str] = ()) -> bool:
    """Whether the actor may; ``maintainers`` are those of the feedstock that it is about."""
    return _in_scope(actor, permission) and _granted(actor, permission, maintainers)


def require(actor: Actor, permission: Permission, maintainers: Collection[str] = ()) -> None:
    """Raises Forbidden, naming who could."""
    if not _in_scope(actor, permission):
        raise Forbidden(
            f"This token of {actor.name} is not good for {permission}",
            code="scope_missing",
            hint=f"Use a token with the scope {permission}.",
        )
    if not _granted(actor, permission, maintainers):
        raise Forbidden(
            f"{actor.name} may not do this ({permission})",
            hint=f"Ask {_who_could(permission, maintainers)}.",
        )


def check_scopes(scopes: Collection[str]) -> list[str]:
    """Those of the scopes that are none."""
    known = {permission.value for permission in Permission}
    areas = {_area(permission) for permission in Permission}
    return sorted(scope for scope in scopes if scope not in known and scope not in areas)


def _in_scope(actor: Actor, permission: Permission) -> bool:
    return not actor.scopes or permission in actor.scopes or _area(permission) in actor.scopes


def _granted(actor: Actor, permission: Permission, maintainers: Collection[str]) -> bool:
    if actor.kind == "system":
        return True
    if permission in _WITH_OWN_FEEDSTOCK and actor.name in maintainers:
        # Having been named once is not enough: who left the yard has no role any more.
        return any(role in actor.roles for role in Role)
    return any(permission in PERMISSIONS[role] for role in Role if role in actor.roles)


def _area(permission: Permission) -> str:
    return permission.split(":")[0] + ":*"


def _who_could(permission: Permission, maintainers: Collection[str]) -> str:
    roles = [role for role in Role if permission in PERMISSIONS[role]]
    groups = [f"a member with the role {' or '.join(roles)}"]
    if permission in _WITH_OWN_FEEDSTOCK and maintainers:
        groups.insert(0, "one of its maintainers: " + ", ".join(sorted(maintainers)))
    return ", or ".join(groups)
