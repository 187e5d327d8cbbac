"""Whether this machine can build at all: sandbox, compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from forgeyard.cli.toolchain import Toolchain, detect
from forgeyard.errors import Unavailable

_SECONDS = 10


def machine_findings(directory: Path) -> list[dict[str, Any]]:
    """What the machine lacks, in the form of the yard's own findings."""
    return [*_sandbox(), *_compiler(detect(), directory / "pinning" / "machine.yaml")]


def require_sandbox() -> None:
    """Raises Unavailable where no build could ever start."""
    for finding in _sandbox():
        raise Unavailable(finding["message"], code=finding["code"], hint=finding["hint"])


def _sandbox() -> list[dict[str, Any]]:
    found = shutil.which("bwrap")
    if found is None:
        return [
            _finding(
                code="sandbox_missing",
                severity="error",
                message="bubblewrap (bwrap) is not installed; no build can run",
                hint="Install it: on Debian and Ubuntu, apt-get install bubblewrap.",
            )
        ]
    attempt = [found, "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "true"]
    try:
        done = subprocess.run(
            attempt, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        trouble = done.stderr.strip() if done.returncode else ""
    except subprocess.TimeoutExpired:
        trouble = f"it did not end within {_SECONDS} s"
    if not trouble:
        return []
    return [
        _finding(
            code="sandbox_refused",
            severity="error",
            message=f"the sandbox does not start: {trouble.splitlines()[-1]}",
            hint="Allow unprivileged user namespaces (docs/how-to/repair.md says how).",
        )
    ]


def _compiler(toolchain: Toolchain, pinned: Path) -> list[dict[str, Any]]:
    if toolchain.lacking:
        return [
            _finding(
                code="compiler_missing",
                severity="warning",
                message=f"this machine has no {' and no '.join(toolchain.lacking)}",
                hint="Install it, then run 'forgeyard init --detect DIR'; packages that need no "
                "compiler can be built without.",
            )
        ]
    if pinned.exists() and pinned.read_text() != toolchain.pinning():
        return [
            _finding(
                code="compiler_changed",
                severity="warning",
                message=f"the compiler or the C library is not what {pinned} says",
                hint="Run 'forgeyard init --detect DIR', then build again.",
            )
        ]
    return []


def _finding(*, code: str, severity: str, message: str, hint: str) -> dict[str, Any]:
    return {"code": code, "severity": severity, "message": message, "hint": hint}
