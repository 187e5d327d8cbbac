"""Match specs against packages (CEP 29), by the engine that also solves."""

from __future__ import annotations

from functools import lru_cache

from rattler import MatchSpec, PackageRecord
from rattler.exceptions import (
    InvalidMatchSpecError,
    InvalidPackageNameError,
    InvalidVersionError,
)
from rattler.package import BuildString


def satisfies(spec: str, name: str, version: str, build_string: str) -> bool:
    """Whether a package is one that a match spec asks for.  A spec that is wrong asks for none."""
    wanted, record = _parsed(spec), _record(name, version, build_string)
    return wanted is not None and record is not None and wanted.matches(record)


@lru_cache(maxsize=65536)
def _parsed(spec: str) -> MatchSpec | None:
    try:
        return MatchSpec(spec)
    except InvalidMatchSpecError:  # the solver says what is wrong with it, in the build's log
        return None


@lru_cache(maxsize=65536)
def _record(name: str, version: str, build_string: str) -> PackageRecord | None:
    try:
        return PackageRecord(
            name=name,
            version=version,
            build=BuildString(build_string),
            build_number=0,
            subdir="noarch",
        )
    except (InvalidPackageNameError, InvalidVersionError, ValueError):
        return None
