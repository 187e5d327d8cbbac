"""Errors as problem documents (RFC 9457), and as pages where a person looks."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from forgeyard.actions.attempts import AttemptGone, LogOffset
from forgeyard.errors import (
    BadInput,
    Conflict,
    Forbidden,
    ForgeyardError,
    NotFound,
    Unauthenticated,
    Unavailable,
    Where,
)
from forgeyard.web.pages.rendering import problem_page
from forgeyard.web.problem_document import ProblemDocument

log = structlog.get_logger()

_STATUS: tuple[tuple[type[ForgeyardError], int], ...] = (
    (AttemptGone, 410),
    (NotFound, 404),
    (Conflict, 409),
    (Forbidden, 403),
    (Unauthenticated, 401),
    (Unavailable, 503),
    (BadInput, 422),
)


def status_of(error: ForgeyardError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def problem_of(error: ForgeyardError) -> ProblemDocument:
    """An error as a document."""
    status = status_of(error)
    return ProblemDocument(
        type=f"urn:forgeyard:problem:{error.code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=error.code,
        detail=error.message,
        hint=error.hint,
        where=error.where,
        size=error.size if isinstance(error, LogOffset) else None,
    )


def answer(request: Request, document: ProblemDocument) -> Response:
    """The document as JSON, or as a page for a browser."""
    headers = {"Cache-Control": "no-store"}
    if document.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="forgeyard"'
    if document.status == 503:
        headers["Retry-After"] = "5"
    if _wants_page(request):
        return problem_page(request, document, headers)
    return Response(
        msgspec.json.encode(document),
        status_code=document.status,
        media_type="application/problem+json",
        headers=headers,
    )


def _wants_page(request: Request) -> bool:
    path = request.url.path
    machine = path.startswith(("/api/", "/metrics", "/t/", "/static/")) or (
        path.startswith("/channels/") and path.count("/") > 2
    )
    return not machine and "text/html" in request.headers.get("accept", "")


def install(app: FastAPI) -> None:
    """Answer every error of an application this way."""

    @app.exception_handler(ForgeyardError)
    def _known(request: Request, error: Exception) -> Response:
        assert isinstance(error, ForgeyardError)
        return answer(request, problem_of(error))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        phrase = HTTPStatus(error.status_code).phrase
        code = "not_found" if error.status_code == 404 else phrase.lower().replace(" ", "_")
        detail = (
            f"There is nothing at {request.url.path}"
            if error.status_code == 404
            else str(error.detail)
        )
        made = answer(request, _plain(error.status_code, code, detail))
        made.headers.update(error.headers or {})
        return made

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first: dict[str, Any] = dict(error.errors()[0])
        field = ".".join(str(part) for part in first["loc"][1:])
        bad = BadInput(
            f"{field or 'the request'}: {first['msg']}",
            code="request_invalid",
            where=Where(field=field or None),
            hint="What is expected is described at /api/v1/docs.",
        )
        return answer(request, problem_of(bad))

    @app.exception_handler(Exception)
    def _unknown(request: Request, error: Exception) -> Response:
        log.error("web.error", path=request.url.path, exc_info=error)
        detail = "Something went wrong inside the yard; its log says more."
        return answer(request, _plain(500, "internal", detail))


def _plain(status: int, code: str, detail: str) -> ProblemDocument:
    return ProblemDocument(
        type=f"urn:forgeyard:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
    )
