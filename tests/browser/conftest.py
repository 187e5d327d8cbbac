"""A real browser before a real server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from forgeyard.actions.yard import Yard
from forgeyard.web.app import create_app
from forgeyard.web.serve import BackgroundServer
from scenarios.busy_yard import BusyYard, busy_yard

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class World(msgspec.Struct, frozen=True):
    """The busy yard, served."""

    busy: BusyYard
    url: str


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as stack:

        def served(yard: Yard) -> httpx.Client:
            server = stack.enter_context(BackgroundServer(create_app(yard)))
            return stack.enter_context(httpx.Client(base_url=server.url, trust_env=False))

        busy = busy_yard(tmp_path_factory.mktemp("world"), served)
        yield World(busy, str(busy.play.http.base_url).rstrip("/"))  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("there is no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=["light"])
def page(request: pytest.FixtureRequest, browser: Any, world: World) -> Iterator[Any]:
    """A page on which nothing may go wrong unseen."""
    context = browser.new_context(
        base_url=world.url, viewport={"width": 1280, "height": 900}, color_scheme=request.param
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert not said, said


@pytest.fixture(scope="session")
def pictures() -> Path | None:
    """Where screenshots go, when they are wanted."""
    if os.environ.get("FORGEYARD_SCREENSHOTS") != "1":
        return None
    folder = Path(__file__).parents[2] / "docs" / "_static" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
