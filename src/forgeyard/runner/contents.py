"""Looks into the package that a build made, before it leaves the machine.

The build ran in a fixed place (``/build``).  Where the host prefix of that place stands in
a file, either the package says so in ``paths.json`` (CEP 34: the installer replaces it), or
the installed file would point to a prefix that exists nowhere: that package is refused.
The path of the unpacked source is mostly harmless (assertions, debug info, records of how
something was configured), so it is only remarked upon.
"""

from __future__ import annotations

import filecmp
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from rattler.package_streaming import extract
from ruamel.yaml import YAML

from forgeyard.builds.job import Job, StagedArtifact
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.runner.failures import AttemptFailed
from forgeyard.runner.sources.interface import sha256_of

#: Part of every host prefix, which rattler-build pads to 255 characters.
_PREFIX = b"_placehold_placehold"
#: Where sources are unpacked and build tools installed.
_SOURCE = b"/build/bld/"
_CHUNK = 1 << 20
_NAMED_FILES = 20


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """What the package says of itself."""

    artifact: StagedArtifact
    #: Environment → digests of the packages that rattler-build really put there.
    used: dict[str, frozenset[str]]
    #: What is odd, but does not make the package useless.
    remarks: tuple[str, ...] = ()


def inspect(job: Job, package: Path, scratch: Path) -> Inspected:
    """Check the package file; raise ``AttemptFailed`` for a package nobody should get."""
    with tempfile.TemporaryDirectory(dir=scratch, prefix="look-") as name:
        files = Path(name) / "files"
        extract(package, files)
        index = json.loads((files / "info/index.json").read_bytes())
        _check_identity(job, index, package)
        remarks = _check_paths(files)
        used = _used(files / "info/recipe/rendered_recipe.yaml")
    artifact = StagedArtifact(
        filename=package.name,
        subdir=str(index.get("subdir", package.parent.name)),
        sha256=sha256_of(package),
        size=package.stat().st_size,
    )
    return Inspected(artifact=artifact, used=used, remarks=remarks)


def _check_identity(job: Job, index: dict[str, Any], package: Path) -> None:
    expected = {"name": job.name, "version": job.version, "subdir": job.subdir}
    if job.build_string:
        expected["build"] = job.build_string
    wrong = {key: index.get(key) for key, value in expected.items() if index.get(key) != value}
    if wrong:
        told = ", ".join(f"{key} {value!r}, not {expected[key]!r}" for key, value in wrong.items())
        raise _fault("wrong_package", f"{package.name} has {told}")


def _check_paths(files: Path) -> tuple[str, ...]:
    """Remarks; raises for files that would point to the build's prefix for ever."""
    bad, odd = [], []
    for entry in json.loads((files / "info/paths.json").read_bytes())["paths"]:
        name = str(entry["_path"])
        if entry.get("path_type") == "softlink":
            if (files / name).readlink().as_posix().startswith("/build/"):
                bad.append(name)
        elif entry.get("path_type") == "hardlink" and not _is_bytecode(name):
            found = _marks(files / name)
            if _PREFIX in found and not entry.get("prefix_placeholder"):
                bad.append(name)
            elif _SOURCE in found and not entry.get("prefix_placeholder"):
                odd.append(name)
    if bad:
        raise _fault(
            "absolute_path",
            f"the prefix of the build is left in {_named(bad)}",
            "make the file not hold it, or let build.prefix_detection see the file, so that "
            "the installer puts in the right prefix",
        )
    return (f"the path of the build's directory is left in {_named(odd)}",) if odd else ()


def _is_bytecode(name: str) -> bool:
    # Python writes the place of the source into it, corrects it when it is loaded elsewhere,
    # and shows it in tracebacks only.
    return name.endswith((".pyc", ".pyo"))


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED_FILES} more" if len(names) > _NAMED_FILES else ""
    return ", ".join(sorted(names)[:_NAMED_FILES]) + more


def _marks(path: Path) -> set[bytes]:
    longest = max(len(_PREFIX), len(_SOURCE))
    found: set[bytes] = set()
    with path.open("rb") as file:
        rest = b""
        while chunk := file.read(_CHUNK):
            data = rest + chunk
            found |= {mark for mark in (_PREFIX, _SOURCE) if mark in data}
            rest = data[-longest:]
    return found


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
