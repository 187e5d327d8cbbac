"""What a place for objects must be able to do, and how it fails."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from forgeyard.errors import BadInput, NotFound, Unavailable

_SHA256 = re.compile(r"[0-9a-f]{64}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class MissingObject(NotFound):
    """No object has this digest."""

    code = "missing_object"

    def __init__(self, sha256: str) -> None:
        super().__init__(f"There is no object with sha256 {sha256}")
        self.sha256 = sha256


class DigestMismatch(BadInput):
    """The bytes are not those that were announced."""

    code = "digest_mismatch"

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            f"The bytes have sha256 {found}, but {expected} was announced",
            hint="Send the file again; if it stays so, the announced digest is wrong.",
        )
        self.expected = expected
        self.found = found


class Backend(Protocol):
    """A place for objects.  Keys are hex sha256 digests, already checked."""

    #: A folder for files on their way in.
    spool: Path
    #: In words, for messages.
    place: str

    def adopt(self, spooled: Path, sha256: str, size: int) -> None:
        """Move a spooled file in, durably; the file is gone afterwards.  Idempotent."""

    def get(self, sha256: str) -> bytes:
        """Raises MissingObject."""

    def stream(self, sha256: str, piece: int) -> Iterator[bytes]:
        """Raises MissingObject, at the latest at the first piece."""

    def size(self, sha256: str) -> int | None:
        """None if there is no such object."""

    def local_path(self, sha256: str) -> Path | None:
        """The file that holds exactly the object, where there is one."""

    def list(self) -> Iterator[str]:
        """Every digest, in no order."""

    def delete(self, sha256: str) -> None:
        """Idempotent."""


def check_sha256(sha256: str) -> str:
    """The digest itself.  Raises BadInput; so no digest can be a path that leads elsewhere."""
    if not _SHA256.fullmatch(sha256):
        raise BadInput(f"{sha256!r} is not a sha256", code="bad_digest")
    return sha256


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Turn what the operating system says into words for the yard's owner."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise Unavailable(
                f"There is no space left in {place}",
                code="disk_full",
                hint="Free some space or move the yard's objects to a larger disk.",
            ) from error
        raise Unavailable(f"Cannot use {place}: {error}", code="objects_unavailable") from error
