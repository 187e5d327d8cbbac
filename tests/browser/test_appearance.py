"""The pictures of the README and the documentation: every page, whole and without errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forgeyard.store.tables import artifacts


def _artifact(world: Any, name: str) -> str:
    with world.busy.place.yard.store.read() as connection:
        row = connection.execute(artifacts.select().where(artifacts.c.name == name)).first()
    assert row is not None
    return str(row.sha256)


@pytest.mark.parametrize(
    "name",
    ["overview", "queue", "build", "failure", "package", "artifact", "feedstock", "channel"],
)
def test_pages_load_without_a_complaint(
    page: Any, world: Any, pictures: Path | None, name: str
) -> None:
    busy = world.busy
    place = {
        "overview": "/",
        "queue": "/queue",
        "build": f"/builds/{busy.running['libxml2'].job.build_id}",
        "failure": f"/builds/{busy.failed}",
        "package": "/packages/zlib",
        "artifact": f"/artifacts/{_artifact(world, 'python')}",
        "feedstock": "/feedstocks/pyyaml",
        "channel": "/channels/main",
    }[name]
    answer = page.goto(place)
    assert answer is not None and answer.status == 200
    page.wait_for_timeout(300)
    assert page.locator("main h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if pictures is not None:
        page.screenshot(path=pictures / f"{name}.png", full_page=name not in ("build", "failure"))
