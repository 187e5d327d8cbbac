"""A yard and a client of its application."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from app_client import AppClient
from scenarios.busy_yard import BusyYard, busy_yard
from yards import TestYard, make_yard


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
