"""Who is asking: a bearer token (RFC 6750), or the cookie of the sign-in page.

The cookie is HttpOnly and SameSite=Strict; forms are taken only from the yard's own pages
(by ``Sec-Fetch-Site`` or ``Origin``), so that no other site can act for a person.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from forgeyard.actions.members import authenticate
from forgeyard.actions.yard import Yard
from forgeyard.errors import Forbidden, Unauthenticated
from forgeyard.governance.actor import Actor

COOKIE = "forgeyard_token"


class CrossSite(Forbidden):
    """A form that was sent from another site."""

    code = "cross_site"


def yard_of(request: Request) -> Yard:
    """The yard that the application serves."""
    yard: Yard = request.app.state.yard
    return yard


def bearer(request: Request) -> str | None:
    """The token in ``Authorization``, or as a password where a client knows only Basic."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None


def maybe_actor(request: Request) -> Actor | None:
    """Whoever asks, if it is anybody.  Raises Unauthenticated for a token that is no good."""
    text = bearer(request)
    if text is not None:
        return authenticate(yard_of(request), text)
    text = request.cookies.get(COOKIE)
    if text is None:
        return None
    if request.method not in ("GET", "HEAD"):
        check_own_site(request)
    try:
        return authenticate(yard_of(request), text)
    except Unauthenticated:
        return None  # an old cookie is no reason to show nothing


def need_actor(request: Request) -> Actor:
    """Whoever asks.  Raises Unauthenticated when it is nobody."""
    actor = maybe_actor(request)
    if actor is None:
        raise Unauthenticated(
            "this needs a token",
            hint="Send 'Authorization: Bearer TOKEN'; 'forgeyard token create' makes one.",
        )
    return actor


def may_read(request: Request) -> Actor | None:
    """Reading is open to all, unless the yard is private."""
    if yard_of(request).settings.server.private:
        return need_actor(request)
    return None


def check_own_site(request: Request) -> None:
    """Raises CrossSite for a form that another site has sent."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = urlsplit(str(request.base_url)).netloc
    same = site in ("same-origin", "none") if site else bool(origin)
    if not same or (origin and origin != "null" and urlsplit(origin).netloc != own):
        raise CrossSite(
            "this form was not sent from the yard's own pages",
            hint="Open the page again and press its button.",
        )


YardHere = Annotated[Yard, Depends(yard_of)]
Writer = Annotated[Actor, Depends(need_actor)]
Reader = Depends(may_read)
