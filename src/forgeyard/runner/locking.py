"""Solves the environments of an attempt outside the sandbox and writes them down.

The order is rattler-build's: build first; then host with the strong run exports of what
build asks for by name; then, in the test stage, one environment per test (CEP 13, CEP 20).
rattler-build solves once more inside, but sees only the packages of these locks.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import rattler
from rattler import exceptions

from forgeyard.builds.job import LockedPackage
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.runner.failures import AttemptFailed
from forgeyard.runner.locked_channel import LockedRecord
from forgeyard.runner.package_store import Archive, PackageStore
from forgeyard.runner.rendering import Requirements
from forgeyard.runner.sources.interface import PlaceFailed, Say

#: Longer explanations are cut: what is asked for comes first, the tree after it.
_EXPLANATION_LINES = 40
#: py-rattler's threads may crash the interpreter when it ends right after a call.
_SETTLE_SECONDS = 0.02

#: In a solver's record, but not in repodata.json.
_SOLVERS_FIELDS = ("fn", "url", "channel")

_ARCHSPEC = {"linux-64": "x86_64", "osx-64": "x86_64", "win-64": "x86_64", "osx-arm64": "m1"}


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """One solved environment."""

    name: str
    platform: str
    specs: tuple[str, ...]
    records: tuple[LockedRecord, ...]

    def lock(self) -> tuple[LockedPackage, ...]:
        """What the result tells of it."""
        return tuple(
            LockedPackage(
                name=each.record["name"],
                version=each.record["version"],
                build=each.record["build"],
                subdir=each.record["subdir"],
                url=each.url,
                sha256=each.sha256,
            )
            for each in self.records
        )


class Locker:
    """Solves against the channels and puts what it finds into the package store."""

    def __init__(
        self,
        channels: Sequence[str],
        store: PackageStore,
        cache_dir: Path,
        say: Say,
        *,
        overrides: dict[str, str] | None = None,
    ) -> None:
        self._channels = tuple(channels)
        self._store = store
        self._say = say
        self._gateway = rattler.Gateway(cache_dir=cache_dir / "repodata")
        self._overrides = overrides or {}

    def lock_build(
        self, requirements: Requirements, build_platform: str, host_platform: str
    ) -> list[Environment]:
        """The build and the host environment, each only where something is asked for."""
        environments = []
        build: Environment | None = None
        if requirements.build and not requirements.merge_build_and_host:
            build = self.lock("build", requirements.build, build_platform)
            environments.append(build)
        host = [*requirements.host, *self._strong_exports(build, requirements)]
        host += [_apply_pin(pin.name, pin, build) for pin in requirements.host_pins]
        if requirements.merge_build_and_host:
            host += requirements.build
        if host:
            environments.append(self.lock("host", host, host_platform))
        return environments

    def lock(
        self,
        name: str,
        specs: Iterable[str],
        platform: str,
        *,
        first: Sequence[str] = (),
        leave_out: frozenset[str] = frozenset(),
    ) -> Environment:
        """Solve one environment; its packages are in the store afterwards.

        ``first``: channels before all others; ``leave_out``: names that are there anyhow.
        """
        specs = tuple(specs)
        self._say(f"solving {name} for {platform}: {', '.join(specs) or 'nothing'}")
        found = self._solve(name, specs, platform, first)
        bare = [_locked_record(each) for each in found if each.name.normalized not in leave_out]
        self._fetch(bare)
        records = tuple(self._with_run_exports(each) for each in bare)
        self._say(_table(name, records))
        return Environment(name=name, platform=platform, specs=specs, records=records)

    def recorded(self, name: str, platform: str, records: Iterable[dict[str, Any]]) -> Environment:
        """An environment that was solved before: nothing is chosen, everything fetched."""
        locked = tuple(_recorded(each) for each in records)
        self._fetch(locked)
        self._say(_table(name, locked))
        return Environment(name=name, platform=platform, specs=(), records=locked)

    def _solve(
        self, name: str, specs: tuple[str, ...], platform: str, first: Sequence[str]
    ) -> list[rattler.RepoDataRecord]:
        async def solve() -> list[rattler.RepoDataRecord]:
            try:
                return await rattler.solve(
                    [*first, *self._channels],
                    [rattler.MatchSpec(spec, strict=False) for spec in specs],
                    gateway=self._gateway,
                    platforms=[rattler.Subdir(platform), rattler.Subdir("noarch")],
                    virtual_packages=virtual_packages(platform, self._overrides),
                )
            finally:
                await asyncio.sleep(_SETTLE_SECONDS)

        try:
            return asyncio.run(solve())
        except exceptions.SolverError as problem:
            raise _unsolvable(name, specs, str(problem)) from problem
        except exceptions.InvalidMatchSpecError as problem:
            raise AttemptFailed(
                Outcome.FAILED,
                Failure(code="spec_invalid", message=f"{name}: {problem}", phase="solve"),
            ) from problem
        except (
            exceptions.GatewayError,
            exceptions.FetchRepoDataError,
            OSError,
        ) as problem:
            raise _channel_failed(str(problem)) from problem

    def _fetch(self, records: Sequence[LockedRecord]) -> None:
        archives = [Archive(url=each.url, sha256=each.sha256) for each in records]
        try:
            fetched = self._store.ensure(archives)
        except PlaceFailed as problem:
            raise _channel_failed(problem.reason) from problem
        if fetched:
            self._say(f"fetched {fetched} packages")

    def _with_run_exports(self, locked: LockedRecord) -> LockedRecord:
        exports = _run_exports(self._store.path(locked.sha256))
        return msgspec.structs.replace(locked, record={**locked.record, "run_exports": exports})

    def _strong_exports(self, build: Environment | None, requirements: Requirements) -> list[str]:
        if build is None:
            return []
        asked = {spec.split()[0].lower() for spec in build.specs}
        exports: list[str] = []
        for each in build.records:
            name = each.record["name"]
            if name in asked and name not in requirements.ignore_from_package:
                exports += each.record["run_exports"].get("strong", [])
        return [
            spec
            for spec in exports
            if re.split(r"[\s=<>!~]", spec)[0] not in requirements.ignore_by_name
        ]


def virtual_packages(
    platform: str, overrides: dict[str, str]
) -> list[rattler.GenericVirtualPackage]:
    """What rattler-build will find inside the sandbox for this platform."""
    os.environ.update(overrides)
    detected = rattler.VirtualPackage.detect(rattler.VirtualPackageOverrides.from_env())
    here = [each.into_generic() for each in detected]
    current = str(rattler.Subdir.current())
    if platform in (current, "noarch"):
        return here
    versions = {each.name.normalized: str(each.version) for each in here}
    versions["__osx"] = os.environ.get("CONDA_OVERRIDE_OSX", "0")
    kind = platform.split("-")[0]
    names = {"linux": ("__unix", "__linux", "__glibc"), "osx": ("__unix", "__osx")}
    wanted = names.get(kind, ("__win",))
    found = [_virtual(name, versions.get(name, "0"), "0") for name in wanted]
    arch = _ARCHSPEC.get(platform, platform.split("-", 1)[1])
    cuda = [each for each in here if each.name.normalized == "__cuda"]
    return [*found, _virtual("__archspec", "1", arch), *cuda]


def _virtual(name: str, version: str, build: str) -> rattler.GenericVirtualPackage:
    return rattler.GenericVirtualPackage(
        rattler.PackageName(name), rattler.Version(version), rattler.package.BuildString(build)
    )


def _locked_record(record: rattler.RepoDataRecord) -> LockedRecord:
    url = str(record.url)
    fields: dict[str, Any] = json.loads(record.to_json())
    for name in _SOLVERS_FIELDS:
        fields.pop(name, None)
    # The channel's own address is the URL less file name and subdir.
    channel = url.rsplit("/", 2)[0]
    return LockedRecord(channel=str(record.channel or channel).rstrip("/"), url=url, record=fields)


def _recorded(record: dict[str, Any]) -> LockedRecord:
    fields = {key: value for key, value in record.items() if key not in _SOLVERS_FIELDS}
    url = str(record["url"])
    return LockedRecord(channel=url.rsplit("/", 2)[0], url=url, record=fields)


def _run_exports(package: Path) -> dict[str, list[str]]:
    try:
        found: dict[str, list[str]] = json.loads((package / "info/run_exports.json").read_bytes())
    except FileNotFoundError:
        return {}
    return found


def _apply_pin(name: str, pin: Any, build: Environment | None) -> str:
    for each in build.records if build else ():
        if each.record["name"] == name:
            return str(pin.apply(each.record["version"], each.record["build"]))
    raise AttemptFailed(
        Outcome.FAILED,
        Failure(
            code="pin_impossible",
            message=f"pin_compatible({name!r}) in host: {name} is not in the build environment",
            phase="solve",
        ),
    )


def _unsolvable(name: str, specs: tuple[str, ...], explanation: str) -> AttemptFailed:
    lines = explanation.strip().splitlines()
    if len(lines) > _EXPLANATION_LINES:
        lines = [*lines[:_EXPLANATION_LINES], f"… {len(lines) - _EXPLANATION_LINES} more lines"]
    return AttemptFailed(
        Outcome.FAILED,
        Failure(
            code="unsolvable",
            message=f"the {name} environment cannot be solved:\n" + "\n".join(lines),
            hint=f"asked for: {', '.join(specs)}",
            phase="solve",
        ),
    )


def _channel_failed(reason: str) -> AttemptFailed:
    return AttemptFailed(
        Outcome.INFRASTRUCTURE,
        Failure(
            code="channel_unreachable",
            message=f"a channel does not answer: {reason}",
            phase="solve",
        ),
    )


def _table(name: str, records: Sequence[LockedRecord]) -> str:
    told = sorted(
        f"  {each.record['name']} {each.record['version']} {each.record['build']}"
        for each in records
    )
    return "\n".join([f"{name}: {len(records)} packages", *told])
