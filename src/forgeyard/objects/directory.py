"""Objects as files of a directory: ``ab/cdef…``, written once, durable when they appear.

Plain system calls and not obstore's local store, which neither syncs files and folders to
the disk nor tells a full disk from any other trouble.
"""

# ruff: noqa: D102 - `Backend` says what the methods do.
from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from forgeyard.objects.backend import MissingObject, translated

_SPOOL = ".incoming"


class Directory:
    """The backend for one machine, or for several that share a file system."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spool = root / _SPOOL
        self.place = str(root)
        with translated(self.place):
            self.spool.mkdir(parents=True, exist_ok=True)

    def adopt(self, spooled: Path, sha256: str, size: int) -> None:
        target = self._path(sha256)
        if self.size(sha256) == size:
            spooled.unlink()
            return
        # Either new, or a damaged one of another size, which is replaced.
        new_folder = not target.parent.exists()
        target.parent.mkdir(exist_ok=True)
        spooled.replace(target)
        _sync_folder(target.parent)
        if new_folder:
            _sync_folder(self.root)

    def get(self, sha256: str) -> bytes:
        with translated(self.place):
            try:
                return self._path(sha256).read_bytes()
            except FileNotFoundError:
                raise MissingObject(sha256) from None

    def stream(self, sha256: str, piece: int) -> Iterator[bytes]:
        with translated(self.place):
            try:
                file = self._path(sha256).open("rb")
            except FileNotFoundError:
                raise MissingObject(sha256) from None
        with file:
            while data := file.read(piece):
                yield data

    def size(self, sha256: str) -> int | None:
        with translated(self.place):
            try:
                return self._path(sha256).stat().st_size
            except FileNotFoundError:
                return None

    def local_path(self, sha256: str) -> Path | None:
        path = self._path(sha256)
        return path if path.exists() else None

    def list(self) -> Iterator[str]:
        for folder in self.root.iterdir():
            if len(folder.name) == 2 and folder.is_dir():
                yield from (folder.name + file.name for file in folder.iterdir())

    def delete(self, sha256: str) -> None:
        with translated(self.place):
            self._path(sha256).unlink(missing_ok=True)

    def sweep(self, older_than_seconds: float) -> int:
        """Remove spool files of writers that died; returns how many."""
        oldest = time.time() - older_than_seconds
        removed = 0
        for path in self.spool.iterdir():
            try:
                if path.stat().st_mtime < oldest:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                # Committed or aborted since the folder was listed.
                continue
        return removed

    def _path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256[2:]


def _sync_folder(folder: Path) -> None:
    # A rename is only durable when the folder is.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
