"""The API inside this process, for a yard that nobody serves at the moment."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal


class _Bridge(httpx.BaseTransport):
    """Carries the requests of a synchronous client to an ASGI application."""

    def __init__(self, app: object, portal: BlockingPortal) -> None:
        # What goes wrong inside is logged there and answered with a problem document.
        self._inner = httpx.ASGITransport(app=app, raise_app_exceptions=False)  # type: ignore[arg-type]
        self._portal = portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._portal.call(self._answer, request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.read()
        )
        answer = await self._inner.handle_async_request(asked)
        content = b"".join([part async for part in answer.aiter_raw()])
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)


@contextmanager
def application_of(directory: Path) -> Iterator[httpx.Client]:
    """A client whose requests are answered by the yard's own application."""
    from forgeyard.actions.yard import Yard
    from forgeyard.telemetry import configure_logging
    from forgeyard.web.app import create_app

    configure_logging(logging.WARNING)
    yard = Yard.open(directory)
    try:
        with (
            start_blocking_portal("asyncio") as portal,
            httpx.Client(
                base_url="http://yard", transport=_Bridge(create_app(yard), portal)
            ) as http,
        ):
            yield http
    finally:
        yard.close()
