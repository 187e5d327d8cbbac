"""``http`` and ``https`` sources; the environment's proxies and certificates apply."""

from __future__ import annotations

import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path

from forgeyard.runner.sources.interface import PlaceFailed

_TIMEOUT_SECONDS = 60.0
_TRIES = 3
_PAUSE_SECONDS = 0.5
#: Answers that stay the same however often one asks.
_FINAL_STATUSES = frozenset({400, 401, 403, 404, 405, 410, 451})


class WebProvider:
    """Downloads with a few tries; a server that says no is not asked again."""

    schemes = frozenset({"http", "https"})

    def fetch(self, url: str, into: Path, *, sha256: str | None) -> None:  # noqa: ARG002
        """Download, with a pause before each new try."""
        problem = PlaceFailed("not tried")
        for number in range(_TRIES):
            if number:
                time.sleep(_PAUSE_SECONDS * 3 ** (number - 1))
            try:
                return download(url, into)
            except PlaceFailed as failed:
                if failed.final:
                    raise
                problem = failed
        raise problem


def download(url: str, into: Path) -> None:
    """One try."""
    # Some servers refuse urllib's own name.
    headers = {"User-Agent": "forgeyard-runner"}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            with into.open("wb") as file:
                shutil.copyfileobj(answer, file, 1 << 18)
            expected = answer.headers.get("Content-Length")
            if expected and into.stat().st_size != int(expected):
                raise PlaceFailed(f"the connection ended early ({into.stat().st_size} bytes)")
    except urllib.error.HTTPError as problem:
        raise PlaceFailed(
            f"HTTP {problem.code} {problem.reason}", final=problem.code in _FINAL_STATUSES
        ) from problem
    except urllib.error.URLError as problem:
        raise PlaceFailed(str(problem.reason)) from problem
    except (OSError, ValueError) as problem:
        raise PlaceFailed(str(problem) or type(problem).__name__) from problem
