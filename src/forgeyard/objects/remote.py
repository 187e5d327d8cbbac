"""Objects in a bucket (S3 and whatever else obstore speaks)."""

# ruff: noqa: D102, ARG002 - `Backend` says what the methods do.
from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from forgeyard.errors import Unavailable
from forgeyard.objects.backend import MissingObject


class Remote:
    """The backend for a yard of several machines."""

    def __init__(self, url: str) -> None:
        self.place = url
        self._store = from_url(url)
        # The digest, and so the key, is known only at the end: files wait on the local disk.
        self._folder = tempfile.TemporaryDirectory(prefix="forgeyard-objects-")
        self.spool = Path(self._folder.name)

    def adopt(self, spooled: Path, sha256: str, size: int) -> None:
        if self.size(sha256) != size:
            with self._translated(sha256):
                obstore.put(self._store, _key(sha256), spooled)
        spooled.unlink()

    def get(self, sha256: str) -> bytes:
        with self._translated(sha256):
            return bytes(obstore.get(self._store, _key(sha256)).bytes())

    def stream(self, sha256: str, piece: int) -> Iterator[bytes]:
        with self._translated(sha256):
            for data in obstore.get(self._store, _key(sha256)).stream(min_chunk_size=piece):
                if data:
                    yield bytes(data)

    def size(self, sha256: str) -> int | None:
        try:
            with self._translated(sha256):
                return obstore.head(self._store, _key(sha256))["size"]
        except MissingObject:
            return None

    def local_path(self, sha256: str) -> Path | None:
        return None

    def list(self) -> Iterator[str]:
        with self._translated(""):
            for page in obstore.list(self._store):
                yield from (entry["path"].replace("/", "") for entry in page)

    def delete(self, sha256: str) -> None:
        try:
            with self._translated(sha256):
                obstore.delete(self._store, _key(sha256))
        except MissingObject:
            return

    def sweep(self, older_than_seconds: float) -> int:
        """Nothing to do: the spool goes with the process."""
        return 0

    @contextmanager
    def _translated(self, sha256: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise MissingObject(sha256) from None
        except (BaseError, OSError) as error:
            raise Unavailable(
                f"Cannot use {self.place}: {error}", code="objects_unavailable"
            ) from error


def _key(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256[2:]}"
