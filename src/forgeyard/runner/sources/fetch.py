"""Gets the files that a recipe names: the yard's mirror first, then the recipe's places.

Whatever the place, the digest in the recipe decides.  What had to come from elsewhere is
given to the mirror, so that the same build can be made when the place is gone.
"""

from __future__ import annotations

import time
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from forgeyard.builds.outcome import Outcome
from forgeyard.runner.sources.debian import DebianProvider
from forgeyard.runner.sources.interface import (
    PlaceFailed,
    Provider,
    Say,
    SourceFailed,
    digest_of,
    sha256_of,
)
from forgeyard.runner.sources.local import FileProvider
from forgeyard.runner.sources.pypi import PyPIProvider
from forgeyard.runner.sources.web import WebProvider


class Mirror(Protocol):
    """The yard's source mirror, as ``YardClient`` offers it."""

    def download_source(self, sha256: str, into: Path) -> bool:
        """False when the mirror does not have it."""

    def upload_source(self, sha256: str, path: Path) -> None:
        """Keep it."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One file that a recipe names."""

    urls: tuple[str, ...]
    sha256: str | None = None
    md5: str | None = None


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is here and has been checked."""

    path: Path
    sha256: str
    size: int
    #: Where it came from; ``mirror`` for the yard's own.
    place: str


class _Tried(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    reason: str
    final: bool
    mismatch: bool = False


def machine_providers(cache_dir: Path) -> tuple[Provider, ...]:
    """Every kind of place that this machine can reach."""
    return (
        WebProvider(),
        FileProvider(),
        PyPIProvider(),
        DebianProvider(cache_dir / "apt"),
    )


class Fetcher:
    """Fetches into one directory; a file is named by its digest."""

    def __init__(
        self, directory: Path, providers: Sequence[Provider], mirror: Mirror, say: Say
    ) -> None:
        self._directory = directory
        self._providers = {scheme: each for each in providers for scheme in each.schemes}
        self._mirror = mirror
        self._say = say

    def fetch(self, wanted: Wanted) -> Fetched:
        """The file, or ``SourceFailed`` that lists each place with its reason."""
        if wanted.sha256 is None and wanted.md5 is None:
            raise SourceFailed(
                f"{wanted.urls[0]} has no checksum in the recipe",
                code="checksum_missing",
                outcome=Outcome.FAILED,
                hint="add sha256: next to the url, so that everyone builds from the same bytes",
            )
        partial = self._directory / "partial"
        started = time.monotonic()
        place = self._from_mirror(wanted, partial) or self._from_places(wanted, partial)
        sha256 = wanted.sha256 or sha256_of(partial)
        path = self._directory / sha256
        partial.replace(path)
        fetched = Fetched(path=path, sha256=sha256, size=path.stat().st_size, place=place)
        seconds = time.monotonic() - started
        self._say(
            f"{_file_name(wanted.urls[0])}: {fetched.size} bytes from {place}, {seconds:.1f} s"
        )
        if place != "mirror":
            self._mirror.upload_source(sha256, path)
        return fetched

    def _from_mirror(self, wanted: Wanted, into: Path) -> str | None:
        if wanted.sha256 is None or not self._mirror.download_source(wanted.sha256, into):
            return None
        if sha256_of(into) != wanted.sha256:
            self._say(f"the yard's mirror gave wrong bytes for {wanted.sha256}; asking elsewhere")
            return None
        return "mirror"

    def _from_places(self, wanted: Wanted, into: Path) -> str:
        tried: list[_Tried] = []
        for url in wanted.urls:
            failed = self._from_place(url, wanted, into)
            if failed is None:
                return url
            self._say(f"{url}: {failed.reason}")
            tried.append(failed)
        raise _failure(wanted, tried)

    def _from_place(self, url: str, wanted: Wanted, into: Path) -> _Tried | None:
        scheme = urllib.parse.urlsplit(url).scheme.lower()
        provider = self._providers.get(scheme)
        if provider is None:
            known = ", ".join(sorted(self._providers))
            reason = f"unknown kind of place {scheme!r} (this runner knows {known})"
            return _Tried(url=url, reason=reason, final=True)
        try:
            provider.fetch(url, into, sha256=wanted.sha256)
        except PlaceFailed as problem:
            return _Tried(url=url, reason=problem.reason, final=problem.final)
        return _check(url, wanted, into)


def _check(url: str, wanted: Wanted, path: Path) -> _Tried | None:
    for algorithm, expected in (("sha256", wanted.sha256), ("md5", wanted.md5)):
        if expected is None:
            continue
        actual = digest_of(path, algorithm)
        if actual != expected:
            reason = f"{algorithm} is {actual}, the recipe says {expected}"
            return _Tried(url=url, reason=reason, final=True, mismatch=True)
    return None


def _failure(wanted: Wanted, tried: list[_Tried]) -> SourceFailed:
    told = "\n".join(f"  {each.url}: {each.reason}" for each in tried)
    name = _file_name(wanted.urls[0])
    if any(each.mismatch for each in tried):
        return SourceFailed(
            f"{name} is not the file that the recipe means:\n{told}",
            code="sha256_mismatch",
            outcome=Outcome.FAILED,
            hint="if upstream changed the file on purpose, find out why and update the sha256",
        )
    final = all(each.final for each in tried)
    return SourceFailed(
        f"{name} could not be fetched:\n{told}",
        code="source_unreachable",
        outcome=Outcome.FAILED if final else Outcome.INFRASTRUCTURE,
        hint="check the url, or add a second one to the list" if final else None,
    )


def _file_name(url: str) -> str:
    return urllib.parse.urlsplit(url).path.rsplit("/", 1)[-1] or url
