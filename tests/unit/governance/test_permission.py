"""Who may do what."""

from __future__ import annotations

import pytest

from forgeyard.errors import Forbidden
from forgeyard.governance.actor import Actor, ActorKind
from forgeyard.governance.permission import Permission, allowed, check_scopes, require


def actor(*roles: str, scopes: tuple[str, ...] = (), kind: ActorKind = "person") -> Actor:
    return Actor(id="m-1", name="ada", kind=kind, roles=roles, scopes=scopes)


class TestRoles:
    def test_an_owner_may_everything(self) -> None:
        assert all(allowed(actor("owner"), permission) for permission in Permission)

    def test_a_maintainer_may_build_but_not_rule(self) -> None:
        assert allowed(actor("maintainer"), Permission.BUILD_SUBMIT)
        assert allowed(actor("maintainer"), Permission.FEEDSTOCK_WRITE, ["bob"])
        assert not allowed(actor("maintainer"), Permission.MEMBER_WRITE)
        assert not allowed(actor("maintainer"), Permission.YARD_ADMIN)

    def test_a_member_reads(self) -> None:
        assert allowed(actor("member"), Permission.CHANNEL_READ)
        assert not allowed(actor("member"), Permission.BUILD_SUBMIT)

    def test_who_has_no_role_may_nothing(self) -> None:
        assert not any(allowed(actor(), permission) for permission in Permission)
        assert not any(allowed(actor("king"), permission) for permission in Permission)

    def test_the_yard_itself_may_everything(self) -> None:
        assert allowed(actor(kind="system"), Permission.CHANNEL_PUBLISH)


class TestFeedstocks:
    def test_its_maintainers_may_change_and_build_it(self) -> None:
        assert allowed(actor("member"), Permission.FEEDSTOCK_WRITE, ["ada"])
        assert allowed(actor("member"), Permission.BUILD_SUBMIT, ["bob", "ada"])
        assert not allowed(actor("member"), Permission.BUILD_SUBMIT, ["bob"])

    def test_nothing_beyond_it(self) -> None:
        assert not allowed(actor("member"), Permission.CHANNEL_PUBLISH, ["ada"])
        assert not allowed(actor("member"), Permission.YARD_ADMIN, ["ada"])

    def test_who_left_the_yard_is_no_maintainer_any_more(self) -> None:
        assert not allowed(actor(), Permission.FEEDSTOCK_WRITE, ["ada"])


class TestScopes:
    def test_narrow(self) -> None:
        narrow = actor("owner", scopes=("build:submit",))
        assert allowed(narrow, Permission.BUILD_SUBMIT)
        assert not allowed(narrow, Permission.BUILD_CANCEL)

    def test_a_whole_area(self) -> None:
        assert allowed(actor("owner", scopes=("build:*",)), Permission.BUILD_CANCEL)
        assert not allowed(actor("owner", scopes=("build:*",)), Permission.TOKEN_WRITE)

    def test_never_give(self) -> None:
        assert not allowed(actor("member", scopes=("yard:admin",)), Permission.YARD_ADMIN)

    def test_narrow_maintainers_too(self) -> None:
        narrow = actor("member", scopes=("build:read",))
        assert not allowed(narrow, Permission.BUILD_SUBMIT, ["ada"])

    def test_unknown_ones(self) -> None:
        assert check_scopes(["build:*", "token:write", "all", "build:eat"]) == ["all", "build:eat"]


class TestRequire:
    def test_says_nothing_when_allowed(self) -> None:
        require(actor("owner"), Permission.YARD_ADMIN)

    def test_names_who_could(self) -> None:
        with pytest.raises(Forbidden) as caught:
            require(actor("member"), Permission.BUILD_SUBMIT, ["eve", "bob"])
        assert caught.value.hint == (
            "Ask one of its maintainers: bob, eve, or a member with the role owner or maintainer."
        )

    def test_names_the_missing_scope(self) -> None:
        with pytest.raises(Forbidden) as caught:
            require(actor("owner", scopes=("build:read",)), Permission.TOKEN_WRITE)
        assert caught.value.code == "scope_missing"
        assert "token:write" in str(caught.value.hint)
