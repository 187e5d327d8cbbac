"""Signing in with a token, and out again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from forgeyard.actions.members import authenticate
from forgeyard.errors import Unauthenticated
from forgeyard.web.authentication import COOKIE, YardHere, check_own_site
from forgeyard.web.pages.rendering import page

router = APIRouter()

_MONTH = 30 * 24 * 3600


@router.get("/sign-in")
def sign_in(request: Request, to: str = "/") -> Response:
    """The form."""
    return page(request, "sign_in.html", to=_own_path(to), problem=None)


@router.post("/sign-in")
def signed_in(
    request: Request,
    yard: YardHere,
    token: Annotated[str, Form()],
    to: Annotated[str, Form()] = "/",
) -> Response:
    """Keep the token in a cookie that scripts cannot read."""
    check_own_site(request)
    try:
        authenticate(yard, token.strip())
    except Unauthenticated as error:
        return page(request, "sign_in.html", status=401, to=_own_path(to), problem=error)
    answer = RedirectResponse(_own_path(to), 303)
    answer.set_cookie(
        COOKIE,
        token.strip(),
        max_age=_MONTH,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """Forget the cookie."""
    check_own_site(request)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _own_path(to: str) -> str:
    """Only places of this yard: never a redirection to somewhere else."""
    return to if to.startswith("/") and not to.startswith(("//", "/\\")) else "/"
