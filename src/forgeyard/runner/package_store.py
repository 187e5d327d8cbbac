"""Packages of the runner, extracted once and shared by its attempts.

One directory per sha256 of a package file.  Only the runner writes here; a build sees
just the packages of its own environments, through read-only mounts, and copies files out
of them, so that no build can change what another one gets.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from rattler.package_streaming import extract

from forgeyard.runner.sources.interface import PlaceFailed, sha256_of
from forgeyard.runner.sources.local import FileProvider
from forgeyard.runner.sources.web import WebProvider

_DOWNLOADS = 6
#: Longer than any attempt: an entry in use was touched when its attempt began.
_UNUSED_SECONDS = 24 * 3600.0
_CLEAN_SECONDS = 3600.0


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """A package file somewhere."""

    url: str
    sha256: str


class PackageStore:
    """Content-addressed and append-only, but for ``clean``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, sha256: str) -> Path:
        """Where the files of a package are, once it was ensured."""
        return self._directory / sha256[:2] / sha256

    def ensure(self, archives: Sequence[Archive]) -> int:
        """Have them all here; how many had to be fetched.  Raises ``PlaceFailed``."""
        missing = []
        for archive in archives:
            try:
                os.utime(self.path(archive.sha256))
            except FileNotFoundError:
                missing.append(archive)
        if missing:
            self._directory.mkdir(parents=True, exist_ok=True)
            with ThreadPoolExecutor(_DOWNLOADS) as pool:
                list(pool.map(self._fetch, missing))
        return len(missing)

    def download(self, archive: Archive, into: Path) -> None:
        """The package file itself, checked."""
        provider = FileProvider() if archive.url.startswith("file:") else WebProvider()
        try:
            provider.fetch(archive.url, into, sha256=archive.sha256)
        except PlaceFailed as problem:
            raise PlaceFailed(f"{archive.url}: {problem.reason}", final=problem.final) from problem
        actual = sha256_of(into)
        if actual != archive.sha256:
            raise PlaceFailed(
                f"{archive.url}: sha256 is {actual}, the channel says {archive.sha256}"
            )

    def _fetch(self, archive: Archive) -> None:
        with tempfile.TemporaryDirectory(dir=self._directory, prefix="new-") as name:
            file = Path(name) / archive.url.rsplit("/", 1)[-1]
            self.download(archive, file)
            files = Path(name) / "files"
            extract(file, files)
            target = self.path(archive.sha256)
            target.parent.mkdir(exist_ok=True)
            try:
                files.rename(target)
            except OSError:
                if not target.is_dir():  # else another attempt was quicker
                    raise

    def clean_now_and_then(self, keep_bytes: int) -> int:
        """``clean``, unless it was done within the last hour."""
        mark = self._directory / "cleaned"
        self._directory.mkdir(parents=True, exist_ok=True)
        if mark.exists() and time.time() - mark.stat().st_mtime < _CLEAN_SECONDS:
            return 0
        mark.touch()
        return self.clean(keep_bytes)

    def clean(self, keep_bytes: int, *, unused_seconds: float = _UNUSED_SECONDS) -> int:
        """Remove what was not used for long until no more than that is kept; bytes freed."""
        entries = []
        for path in self._directory.glob("??/*"):
            entries.append((path.stat().st_mtime, _size(path), path))
        for path in self._directory.glob("new-*"):  # left by a runner that was killed
            if time.time() - path.stat().st_mtime > unused_seconds:
                shutil.rmtree(path, ignore_errors=True)
        total = sum(size for _, size, _ in entries)
        freed = 0
        for used, size, path in sorted(entries):
            if total - freed <= keep_bytes or time.time() - used < unused_seconds:
                break
            # Renamed first: half an entry must never be found under its digest.
            doomed = self._directory / f"new-{path.name}"
            path.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
            freed += size
        return freed


def _size(path: Path) -> int:
    total = 0
    for folder, _, names in os.walk(path):
        total += sum((Path(folder) / name).lstat().st_size for name in names)
    return total
