"""The object store: bytes by their sha256, written once and never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from forgeyard.objects.backend import MissingObject, check_sha256, translated
from forgeyard.objects.directory import Directory
from forgeyard.objects.remote import Remote
from forgeyard.objects.writer import ObjectWriter

_PIECE = 2**20


class ObjectStore:
    """Objects in a directory, or in a bucket given by its address (``s3://…``).

    Safe for several threads and processes at once.  The caller's word for a digest is
    never taken: what is stored under a digest was hashed here.
    """

    def __init__(self, url_or_dir: str | Path) -> None:
        text = str(url_or_dir)
        if "://" in text and not text.startswith("file://"):
            self._backend: Directory | Remote = Remote(text)
        else:
            self._backend = Directory(Path(text.removeprefix("file://")))

    def put_bytes(self, data: bytes) -> str:
        """Store the bytes durably; returns their sha256.  Idempotent."""
        with self.open_writer() as writer:
            writer.write(data)
            return writer.commit()[0]

    def put_file(self, path: Path, expected: str | None = None) -> tuple[str, int]:
        """Copy a file in durably; returns sha256 and size.  Raises DigestMismatch."""
        with self.open_writer() as writer, path.open("rb") as file:
            while piece := file.read(_PIECE):
                writer.write(piece)
            return writer.commit(expected)

    def open_writer(self) -> ObjectWriter:
        """A writer; leaving its ``with`` block without a commit drops what was written."""
        return ObjectWriter(self._backend)

    def get(self, sha256: str) -> bytes:
        """The whole object.  Raises MissingObject."""
        return self._backend.get(check_sha256(sha256))

    def stream(self, sha256: str, piece: int = _PIECE) -> Iterator[bytes]:
        """The object in pieces.  Raises MissingObject, at the latest at the first one."""
        return self._backend.stream(check_sha256(sha256), piece)

    def exists(self, sha256: str) -> bool:
        """Whether there is such an object."""
        return self._backend.size(check_sha256(sha256)) is not None

    def size(self, sha256: str) -> int:
        """Raises MissingObject."""
        size = self._backend.size(check_sha256(sha256))
        if size is None:
            raise MissingObject(sha256)
        return size

    def local_path(self, sha256: str) -> Path | None:
        """The file that holds the object, for ``sendfile``.

        None if there is no such object or the store is not on this machine.
        """
        return self._backend.local_path(check_sha256(sha256))

    def verify(self, sha256: str) -> bool:
        """Read the object and say whether it is undamaged.  Raises MissingObject."""
        digest = hashlib.sha256()
        for piece in self.stream(sha256):
            digest.update(piece)
        return digest.hexdigest() == sha256

    def list(self) -> Iterator[str]:
        """Every object's sha256, in no order."""
        return self._backend.list()

    def delete(self, sha256: str) -> None:
        """Remove the object.  Idempotent."""
        self._backend.delete(check_sha256(sha256))

    def sweep(self, older_than_seconds: float = 24 * 3600) -> int:
        """Remove what writers left behind that were killed; returns how many files."""
        with translated(self._backend.place):
            return self._backend.sweep(older_than_seconds)
