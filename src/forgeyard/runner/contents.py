"""Looks into the package that a build made, before it leaves the machine.

The build ran in a fixed place (``/build``).  Where that path stands in a file, either the
package says so in ``paths.json`` (CEP 34: the installer replaces it), or the file would
point to a place that exists nowhere.
"""

from __future__ import annotations

import filecmp
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from rattler.package_streaming import extract
from ruamel.yaml import YAML

from forgeyard.builds.job import Job, StagedArtifact
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.runner.failures import AttemptFailed
from forgeyard.runner.sources.interface import sha256_of

#: rattler-build's own directories inside ``/build``.
_MARKS = (b"/build/bld/", b"_placehold_placehold")
_CHUNK = 1 << 20
_NAMED_FILES = 20


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """What the package says of itself."""

    artifact: StagedArtifact
    #: Environment → digests of the packages that rattler-build really put there.
    used: dict[str, frozenset[str]]


def inspect(job: Job, package: Path, scratch: Path) -> Inspected:
    """Check the package file; raise ``AttemptFailed`` for a package nobody should get."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix="look-") as name:
        files = Path(name) / "files"
        extract(package, files)
        index = json.loads((files / "info/index.json").read_bytes())
        _check_identity(job, index, package)
        _check_paths(files)
        used = _used(files / "info/recipe/rendered_recipe.yaml")
    artifact = StagedArtifact(
        filename=package.name,
        subdir=str(index.get("subdir", package.parent.name)),
        sha256=sha256_of(package),
        size=package.stat().st_size,
    )
    return Inspected(artifact=artifact, used=used)


def _check_identity(job: Job, index: dict[str, Any], package: Path) -> None:
    expected = {"name": job.name, "version": job.version, "subdir": job.subdir}
    if job.build_string:
        expected["build"] = job.build_string
    wrong = {key: index.get(key) for key, value in expected.items() if index.get(key) != value}
    if wrong:
        told = ", ".join(f"{key} {value!r}, not {expected[key]!r}" for key, value in wrong.items())
        raise _fault("wrong_package", f"{package.name} has {told}")


def _check_paths(files: Path) -> None:
    paths = json.loads((files / "info/paths.json").read_bytes())["paths"]
    bad = []
    for entry in paths:
        if entry.get("path_type") != "hardlink" or entry.get("prefix_placeholder"):
            continue
        if _has_mark(files / entry["_path"]):
            bad.append(str(entry["_path"]))
    links = [
        str(path.relative_to(files))
        for path in _links(files)
        if path.readlink().as_posix().startswith("/build/")
    ]
    named = sorted([*bad, *links])
    if named:
        more = f" and {len(named) - _NAMED_FILES} more" if len(named) > _NAMED_FILES else ""
        raise _fault(
            "absolute_path",
            f"the path of the build directory is left in {', '.join(named[:_NAMED_FILES])}{more}",
            "make the file not hold it (debug info, configuration dumps: strip or remove them), "
            "or let build.prefix_detection see the file",
        )


def _links(files: Path) -> Iterator[Path]:
    for path in files.rglob("*"):
        if path.is_symlink():
            yield path


def _has_mark(path: Path) -> bool:
    longest = max(map(len, _MARKS))
    with path.open("rb") as file:
        rest = b""
        while chunk := file.read(_CHUNK):
            data = rest + chunk
            if any(mark in data for mark in _MARKS):
                return True
            rest = data[-longest:]
    return False


def differences(first: Path, second: Path, scratch: Path) -> list[str]:
    """Which files of two packages differ, are only in one, or have other modes."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix="diff-") as name:
        trees = []
        for number, package in enumerate((first, second)):
            folder = Path(name) / str(number)
            extract(package, folder)
            trees.append({str(path.relative_to(folder)): path for path in folder.rglob("*")})
        one, two = trees
        told = [f"{path} (only in the original)" for path in one.keys() - two.keys()]
        told += [f"{path} (only in the rebuilt one)" for path in two.keys() - one.keys()]
        told += [path for path in one.keys() & two.keys() if _differ(one[path], two[path])]
        return sorted(told)


def _differ(one: Path, two: Path) -> bool:
    if one.lstat().st_mode != two.lstat().st_mode:
        return True
    if one.is_symlink():
        return one.readlink() != two.readlink()
    return one.is_file() and not filecmp.cmp(one, two, shallow=False)


def recorded_environments(package: Path) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Environment → (platform, records) as rattler-build wrote them into an extracted package."""
    text = (package / "info/recipe/rendered_recipe.yaml").read_text()
    rendered = YAML(typ="safe").load(text)
    configuration = rendered["build_configuration"]
    dependencies = rendered.get("finalized_dependencies") or {}
    found = {}
    for name in ("build", "host"):
        if dependencies.get(name):
            platform = configuration[f"{name}_platform"]
            plain = platform["platform"] if isinstance(platform, dict) else platform
            found[name] = (str(plain), list(dependencies[name].get("resolved") or ()))
    return found


def _used(rendered: Path) -> dict[str, frozenset[str]]:
    """Read by line: the file is long, and YAML parsers are slower than whole builds."""
    if not rendered.exists():
        return {}
    found: dict[str, set[str]] = {}
    section = environment = ""
    for line in rendered.read_text().splitlines():
        if line[:1].isalpha():
            section = line.partition(":")[0]
        elif section == "finalized_dependencies":
            if match := re.match(r"  (\w+):", line):
                environment = match.group(1)
            elif match := re.match(r"\s+(?:- )?sha256: ['\"]?([0-9a-f]{64})", line):
                found.setdefault(environment, set()).add(match.group(1))
    return {name: frozenset(digests) for name, digests in found.items()}


def _fault(code: str, message: str, hint: str | None = None) -> AttemptFailed:
    failure = Failure(code=code, message=message, hint=hint, phase="check")
    return AttemptFailed(Outcome.FAILED, failure)
