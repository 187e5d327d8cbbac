"""Small yards for tests: a folder with recipes and an owner, nothing running."""

from __future__ import annotations

from pathlib import Path

import msgspec

from forgeyard.actions.members import authenticate, found_yard
from forgeyard.actions.yard import Yard
from forgeyard.governance.actor import Actor

SETTINGS = """\
[yard]
name = "Test yard"

[pools.local]
cpu = 2
memory_gib = 4
disk_gib = 20
"""


class TestYard(msgspec.Struct, frozen=True):
    """A yard, its owner and the folder where its feedstocks lie."""

    __test__ = False

    yard: Yard
    owner: Actor
    token: str
    feedstocks: Path


def make_yard(folder: Path, settings: str = SETTINGS) -> TestYard:
    """A new yard below ``folder``."""
    yard = Yard.create(folder / "yard", settings)
    token = found_yard(yard, "ada")
    feedstocks = folder / "feedstocks"
    feedstocks.mkdir()
    return TestYard(yard, authenticate(yard, token), token, feedstocks)


def write_recipe(
    feedstocks: Path,
    name: str,
    *,
    version: str = "1.0",
    number: int = 0,
    script: str | list[str] = "mkdir -p $PREFIX/share && echo hello > $PREFIX/share/$PKG_NAME",
    host: tuple[str, ...] = (),
    run: tuple[str, ...] = (),
    test: str = "test -f $PREFIX/share/$PKG_NAME",
    more: str = "",
) -> Path:
    """A noarch recipe that needs no toolchain; returns the feedstock's folder."""
    folder = feedstocks / name
    folder.mkdir(exist_ok=True)
    lines = [script] if isinstance(script, str) else script
    document = {
        "schema_version": 1,
        "package": {"name": name, "version": version},
        "build": {"number": number, "noarch": "generic", "script": lines},
        "requirements": {"host": list(host), "run": list(run)},
        "tests": [{"script": [test]}],
        "about": {"license": "MIT", "summary": f"The {name} of a test"},
        "extra": {"recipe-maintainers": ["grace"]},
    }
    # JSON is YAML, so nothing has to be quoted by hand.
    (folder / "recipe.yaml").write_text(msgspec.json.encode(document).decode() + more)
    return folder
