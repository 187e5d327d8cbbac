"""A whole yard on each database: actions, pages and API run the same statements on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from app_client import AppClient
from forgeyard.actions.doctor import examine
from forgeyard.store.engine import Store
from scenarios.busy_yard import BusyYard, busy_yard


@pytest.fixture
def busy(empty_store: Store, tmp_path: Path) -> Iterator[BusyYard]:
    database = "" if empty_store.is_sqlite else f'\n[database]\nurl = "{empty_store.url}"\n'
    with start_blocking_portal() as portal:
        world = busy_yard(tmp_path, lambda yard: AppClient(yard, portal), more_settings=database)
        assert world.place.yard.store.is_sqlite == empty_store.is_sqlite
        yield world
        world.place.yard.close()


def test_every_page_and_every_read_of_the_api_answers(busy: BusyYard) -> None:
    http = busy.play.http
    builds = http.request("GET", "/api/v1/builds?limit=100").json()
    rows = builds["builds"] if isinstance(builds, dict) else builds
    some = {row["state"]: row["id"] for row in rows}
    assert set(some) == {"waiting", "running", "done"}
    packages = http.request("GET", "/api/v1/channels/main/packages/zlib").json()
    digest = packages["files"][0]["sha256"]
    pages = [
        *("/", "/queue", "/builds", "/feedstocks", "/channels", "/journal", "/find?q=l"),
        *("/feedstocks/zlib", "/channels/main", "/packages/zlib", "/metrics"),
        *(f"/builds/{build_id}" for build_id in some.values()),
        f"/artifacts/{digest}",
        *(f"/api/v1/{name}" for name in ("status", "feedstocks", "channels", "journal")),
        *(f"/api/v1/builds/{build_id}/why" for build_id in some.values()),
        f"/api/v1/batches/{rows[0]['batch']}",
        f"/api/v1/artifacts/{digest}/provenance",
        "/channels/main/linux-64/repodata.json",
        "/channels/main/linux-64/repodata_shards.msgpack.zst",
    ]
    answers = {page: http.request("GET", page).status_code for page in pages}
    assert set(answers.values()) == {200}, answers
    assert examine(busy.place.yard, read_all=True) == []
