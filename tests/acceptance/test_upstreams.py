"""A yard takes from an upstream what it does not have, and nothing that it has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.served_yard import ServedYard
from yards import write_recipe

pytestmark = pytest.mark.slow

USES_BASE = "cp $PREFIX/share/base $PREFIX/share/$PKG_NAME"


def locked(yard: ServedYard, build_id: str, name: str) -> str:
    """The address from which a package of the host environment came."""
    digest = yard.get(f"/builds/{build_id}")["artifacts"][0]["sha256"]
    text = yard.http.get(f"/api/v1/artifacts/{digest}/lock").raise_for_status().text
    (address,) = {word for word in text.replace('"', " ").split() if f"/{name}-" in word}
    return address.partition("#")[0]


def test_an_upstream_fills_gaps_and_the_own_channel_comes_first(
    new_yard: Callable[[str], ServedYard], tmp_path: Path
) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    ours.mkdir()
    write_recipe(theirs, "base", version="1.0")
    upstream = new_yard("")
    upstream.post("/feedstocks", {"origin": str(theirs)})
    upstream.build([])

    yard = new_yard("")
    yard.stop()
    settings = yard.folder / "forgeyard.toml"
    channel = f"{upstream.url}/channels/main"
    settings.write_text(
        settings.read_text().replace("[yard]", f'[yard]\nupstreams = ["{channel}"]')
    )
    yard.start()
    write_recipe(ours, "lib", host=("base",), script=USES_BASE)
    yard.post("/feedstocks", {"origin": str(ours)})
    (build,) = yard.build([])
    assert locked(yard, build["id"], "base").startswith(channel)

    write_recipe(ours, "base", version="0.9")
    write_recipe(ours, "lib", host=("base",), script=USES_BASE, number=1)
    yard.post("/feedstocks", {"origin": str(ours)})
    builds = yard.build([])
    assert sorted(build["name"] for build in builds) == ["base", "lib"]
    newest = next(build for build in builds if build["name"] == "lib")
    assert locked(yard, newest["id"], "base").startswith(f"{yard.url}/channels/main")
