"""What a place for sources can do, and how it fails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from forgeyard.builds.outcome import Outcome
from forgeyard.errors import ForgeyardError

#: Says something in the log of the attempt.
Say = Callable[[str], None]

_CHUNK = 1 << 20


class PlaceFailed(Exception):
    """One place did not give the file; the next place may."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        #: Asking again later would give the same answer (404, no such file, bad scheme).
        self.final = final


class SourceFailed(ForgeyardError):
    """No place gave the file; ``outcome`` says whether to try again elsewhere."""

    code = "source_unreachable"

    def __init__(
        self, message: str, *, code: str, outcome: Outcome, hint: str | None = None
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.outcome = outcome


class Provider(Protocol):
    """Knows how to get the bytes behind the URLs of some schemes."""

    schemes: frozenset[str]

    def fetch(self, url: str, into: Path, *, sha256: str | None) -> None:
        """Write the bytes of ``url`` to ``into``; raise ``PlaceFailed``.

        The digest is a help for choosing among several files of that name; the caller
        checks it in any case.
        """


def sha256_of(path: Path) -> str:
    """Hex digest of a file."""
    return digest_of(path, "sha256")


def digest_of(path: Path, algorithm: str) -> str:
    """Hex digest of a file; the algorithm by its name in ``hashlib``."""
    digest = hashlib.new(algorithm)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
