"""``git`` sources: cloned outside the sandbox, checked out inside from the local clone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from forgeyard.builds.outcome import Outcome
from forgeyard.runner.sources.interface import SourceFailed

_TIMEOUT_SECONDS = 3600.0


def clone(url: str, into: Path) -> None:
    """Make a bare clone with all branches and tags."""
    into.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        ended = subprocess.run(
            ["git", "clone", "--quiet", "--mirror", "--", url, str(into)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as problem:
        raise SourceFailed(
            "git is not installed on this runner",
            code="tool_missing",
            outcome=Outcome.INFRASTRUCTURE,
            hint="install git (Debian: apt install git)",
        ) from problem
    except subprocess.TimeoutExpired as problem:
        raise SourceFailed(
            f"cloning {url} took too long",
            code="source_unreachable",
            outcome=Outcome.INFRASTRUCTURE,
        ) from problem
    if ended.returncode:
        reason = (ended.stderr.strip().splitlines() or ["unknown"])[-1]
        raise SourceFailed(
            f"git clone of {url} failed: {reason}",
            code="source_unreachable",
            outcome=Outcome.INFRASTRUCTURE,
        )
