"""Removes the trees that builds leave behind."""

from __future__ import annotations

import shutil
from pathlib import Path


def remove(path: Path) -> None:
    """Remove a workspace, whatever modes a build left behind."""

    def open_up(_function: object, name: str, _error: object) -> None:
        failed = Path(name)
        for each in (failed.parent, failed):
            if each.is_dir() and not each.is_symlink():
                each.chmod(0o700)
        if failed.is_dir() and not failed.is_symlink():
            shutil.rmtree(failed, ignore_errors=True)
        else:
            failed.unlink(missing_ok=True)

    if path.exists():
        shutil.rmtree(path, onerror=open_up)
