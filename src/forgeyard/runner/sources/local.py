"""``file`` sources: a file on the runner or on something that it has mounted."""

from __future__ import annotations

import shutil
import urllib.parse
import urllib.request
from pathlib import Path

from forgeyard.runner.sources.interface import PlaceFailed


def path_of(url: str) -> Path:
    """The path that a ``file`` URL (RFC 8089) names."""
    return Path(urllib.request.url2pathname(urllib.parse.urlsplit(url).path))


class FileProvider:
    """Copies; the sha256 that the caller checks keeps a recipe from fishing for files."""

    schemes = frozenset({"file"})

    def fetch(self, url: str, into: Path, *, sha256: str | None) -> None:  # noqa: ARG002
        """Copy the file."""
        path = path_of(url)
        try:
            shutil.copyfile(path, into)
        except OSError as problem:
            raise PlaceFailed(f"{path}: {problem.strerror}", final=True) from problem
