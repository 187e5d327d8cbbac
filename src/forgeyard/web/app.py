"""The application: API, pages, channel bytes and metrics over one yard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forgeyard import __version__
from forgeyard.actions.yard import Yard
from forgeyard.builds.job import JobResult
from forgeyard.web import metrics, problems
from forgeyard.web.api import artifacts, builds, channels, feedstocks, runner, system, tokens
from forgeyard.web.files import routes as files
from forgeyard.web.files.documents import Documents
from forgeyard.web.live import Live
from forgeyard.web.pages import routes as pages
from forgeyard.web.pages.pinning import MovingKeys
from forgeyard.web.problem_document import ProblemDocument
from forgeyard.web.wire import describe

PREFIX = "/api/v1"
_HERE = Path(__file__).parent
#: Nothing from elsewhere, nothing inline: what a log or a recipe says can never run.
_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        return describe(self, ProblemDocument, JobResult)


def create_app(yard: Yard) -> FastAPI:
    """The application of a yard.  Its caller opens and closes the yard."""
    app = _Application(
        title="Forgeyard",
        version=__version__,
        description="Recipes in, tested and attested packages out.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses={
            "default": {
                "description": "A problem (RFC 9457)",
                "content": {
                    "application/problem+json": {
                        "schema": {"$ref": "#/components/schemas/ProblemDocument"}
                    }
                },
            }
        },
    )
    app.state.yard = yard
    app.state.live = Live(yard)
    app.state.documents = Documents(yard)
    app.state.moving_keys = MovingKeys()
    problems.install(app)
    for module in (system, feedstocks, builds, channels, artifacts, tokens, runner):
        app.include_router(module.router, prefix=PREFIX)
    app.include_router(metrics.router)
    app.include_router(pages.router)
    app.include_router(files.router)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    app.add_middleware(_Guard)
    return app


class _Guard:
    """Headers that keep a browser from doing more than our pages ask for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Referrer-Policy", "same-origin")
                if headers.get("content-type", "").startswith("text/html"):
                    headers.setdefault("Content-Security-Policy", _POLICY)
            await send(message)

        await self._app(scope, receive, guarded if scope["type"] == "http" else send)
