"""An HTTP client of an application in this process."""

from __future__ import annotations

from typing import Any

import httpx

from forgeyard.actions.yard import Yard
from forgeyard.web.app import create_app


class AppClient(httpx.Client):
    """Speaks to an application in this process; bodies that never end are for real servers."""

    def __init__(self, yard: Yard, portal: Any, raise_errors: bool = True) -> None:
        inner = httpx.ASGITransport(create_app(yard), raise_app_exceptions=raise_errors)  # type: ignore[arg-type]
        super().__init__(base_url="http://testserver", transport=_Bridge(inner, portal))


class _Bridge(httpx.BaseTransport):
    def __init__(self, inner: httpx.ASGITransport, portal: Any) -> None:
        self.inner, self.portal = inner, portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self.portal.call(self._answer, request)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = httpx.Request(
            request.method, request.url, headers=request.headers, content=request.read()
        )
        answer = await self.inner.handle_async_request(asked)
        content = b"".join([part async for part in answer.aiter_raw()])
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)
