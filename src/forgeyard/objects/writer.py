"""Writing an object piece by piece, without knowing its digest beforehand."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from types import TracebackType

from forgeyard.objects.backend import Backend, DigestMismatch, check_sha256, translated


class ObjectWriter:
    """Collects bytes in a spool file; only `commit` makes an object of them.

    As a context manager it aborts unless it was committed.  Not for several threads.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._hash = hashlib.sha256()
        self.size = 0
        with translated(backend.place):
            descriptor, path = tempfile.mkstemp(dir=backend.spool, prefix="in-")
        self._descriptor: int | None = descriptor
        self._path = Path(path)

    @property
    def sha256(self) -> str:
        """Digest of what was written so far."""
        return self._hash.hexdigest()

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append.  Raises Unavailable when the disk is full; then nothing is left of it."""
        if self._descriptor is None:
            raise ValueError("This writer is closed")
        try:
            with translated(self._backend.place):
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
        except BaseException:
            self.abort()
            raise
        self._hash.update(data)
        self.size += len(data)
        return len(data)

    def commit(self, expected: str | None = None) -> tuple[str, int]:
        """Make the object durable and return its sha256 and size.

        Raises DigestMismatch if the bytes are not the expected ones; then, and on any
        other error, nothing is left.
        """
        if self._descriptor is None:
            raise ValueError("This writer is closed")
        found = self.sha256
        try:
            if expected is not None and check_sha256(expected) != found:
                raise DigestMismatch(expected, found)
            with translated(self._backend.place):
                os.fchmod(self._descriptor, 0o444)
                os.fsync(self._descriptor)
                os.close(self._descriptor)
                self._descriptor = None
                self._backend.adopt(self._path, found, self.size)
        except BaseException:
            self.abort()
            raise
        return found, self.size

    def abort(self) -> None:
        """Drop what was written.  Idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> ObjectWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            self.abort()
