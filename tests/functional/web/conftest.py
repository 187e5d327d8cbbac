"""A yard and a client of its application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from forgeyard.actions.yard import Yard
from forgeyard.web.app import create_app
from scenarios.busy_yard import BusyYard, busy_yard
from yards import TestYard, make_yard


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


@pytest.fixture(scope="module")
def portal() -> Iterator[Any]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def place(tmp_path: Path) -> Iterator[TestYard]:
    """An empty yard."""
    place = make_yard(tmp_path)
    yield place
    place.yard.close()


@pytest.fixture
def client(place: TestYard, portal: Any) -> AppClient:
    """Nobody in particular."""
    return AppClient(place.yard, portal)


@pytest.fixture
def owner(place: TestYard) -> dict[str, str]:
    """Headers of the owner."""
    return {"Authorization": f"Bearer {place.token}"}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, portal: Any) -> Iterator[BusyYard]:
    """The yard in the middle of its work; tests that share it only read."""
    world = busy_yard(tmp_path_factory.mktemp("busy"), lambda yard: AppClient(yard, portal))
    yield world
    world.place.yard.close()


@pytest.fixture(scope="module")
def web(busy: BusyYard) -> AppClient:
    """A client of the busy yard."""
    client = busy.play.http
    assert isinstance(client, AppClient)
    return client
