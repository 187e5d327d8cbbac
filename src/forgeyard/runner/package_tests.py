"""What the tests inside a package ask for (``info/tests/tests.yaml``, CEP 14).

One set of specs per environment that ``rattler-build test`` will make.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML


class Needed(msgspec.Struct, frozen=True, kw_only=True):
    """One environment of one test."""

    specs: tuple[str, ...]
    #: Made for the machine that runs the test, without the package itself.
    on_build_platform: bool = False
    #: A downstream test that cannot be solved is skipped, not failed.
    optional: bool = False


def environments(package: Path, name: str, version: str, build: str) -> list[Needed]:
    """All environments of the tests of an extracted package; none when it has no tests."""
    itself = f"{name} =={version} {build}"
    found: list[Needed] = []
    for test in _tests(package):
        found.extend(_of_test(test, itself))
    legacy = package / "info/test/test_time_dependencies.json"
    if legacy.parent.is_dir():
        extra = json.loads(legacy.read_bytes()) if legacy.exists() else []
        found.append(Needed(specs=(*extra, itself)))
    return found


def has_downstream(package: Path) -> bool:
    """Whether a test needs the files of other packages, not only their contents."""
    return any("downstream" in test for test in _tests(package))


def _tests(package: Path) -> list[dict[str, Any]]:
    try:
        text = (package / "info/tests/tests.yaml").read_text()
    except FileNotFoundError:
        return []
    loaded = YAML(typ="safe", pure=True).load(text)
    return [dict(each) for each in loaded or ()]


def _of_test(test: dict[str, Any], itself: str) -> list[Needed]:
    if "python" in test:
        return _of_python(test["python"] or {}, itself)
    for language in ("r", "ruby", "perl"):
        if language in test:
            interpreter = {"r": "r-base"}.get(language, language)
            return [Needed(specs=(interpreter, itself))]
    if "downstream" in test:
        return [Needed(specs=(str(test["downstream"]), itself), optional=True)]
    if "script" in test:
        return _of_script(test.get("requirements") or {}, itself)
    return []  # package_contents and the like need no environment


def _of_python(test: dict[str, Any], itself: str) -> list[Needed]:
    versions = test.get("python_version") or []
    versions = [versions] if isinstance(versions, (str, int, float)) else versions
    pip = ("pip",) if test.get("pip_check", True) else ()
    if not versions:
        return [Needed(specs=(itself, *pip))]
    return [Needed(specs=(f"python={each}", itself, *pip)) for each in versions]


def _of_script(requirements: dict[str, Any], itself: str) -> list[Needed]:
    found = []
    if build := requirements.get("build"):
        found.append(Needed(specs=tuple(map(str, build)), on_build_platform=True))
    run = tuple(map(str, requirements.get("run") or ()))
    found.append(Needed(specs=(*run, itself)))
    return found
