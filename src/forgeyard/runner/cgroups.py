"""Memory and process limits by control groups, where this user may make some.

Version 2 needs a delegated subtree, version 1 writable controller directories (root).
Without them the supervisor's own polling holds the limits.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


class ControlGroup:
    """The groups of one attempt, one per controller in version 1."""

    def __init__(self, folders: dict[str, Path], *, unified: bool) -> None:
        self._folders = folders
        self._unified = unified

    @property
    def joining(self) -> list[str]:
        """Files that a process writes its pid to."""
        return [str(path / "cgroup.procs") for path in dict.fromkeys(self._folders.values())]

    def peak_memory(self) -> int:
        """Most bytes that were in use at once."""
        name = "memory.peak" if self._unified else "memory.max_usage_in_bytes"
        return _number(self._folders["memory"] / name)

    def memory_kills(self) -> int:
        """How often the kernel ended a process because of the memory limit."""
        name = "memory.events" if self._unified else "memory.oom_control"
        try:
            text = (self._folders["memory"] / name).read_text()
        except OSError:
            return 0
        counts = dict(line.split() for line in text.splitlines())
        return int(counts.get("oom_kill", 0))

    def remove(self) -> None:
        """After the last process ended."""
        for path in dict.fromkeys(self._folders.values()):
            # A process may still be torn down; an empty group costs nothing.
            with contextlib.suppress(OSError):
                path.rmdir()


def create(name: str, *, memory_bytes: int, processes: int) -> ControlGroup | None:
    """Groups with these limits, or None where they cannot be made."""
    return _create_unified(name, memory_bytes, processes) or _create_split(
        name, memory_bytes, processes
    )


def _create_unified(name: str, memory_bytes: int, processes: int) -> ControlGroup | None:
    parent = _own_unified_group()
    if parent is None:
        return None
    try:
        controllers = (parent / "cgroup.subtree_control").read_text().split()
        if "memory" not in controllers:
            return None
        folder = parent / f"forgeyard-{name}"
        folder.mkdir(exist_ok=True)
        (folder / "memory.max").write_text(str(memory_bytes))
        _write_if_there(folder / "memory.swap.max", "0")
        _write_if_there(folder / "pids.max", str(processes))
        _check_writable(folder)
    except OSError:
        return None
    return ControlGroup({"memory": folder}, unified=True)


def _own_unified_group() -> Path | None:
    """Parent of the group that this process is in: a sibling can be made there."""
    own = _own_groups().get("")
    if own is None:
        return None
    path = _ROOT / own
    return path.parent if path != _ROOT else path


def _own_groups() -> dict[str, str]:
    """Controller → group of this process (cgroups(7)); the empty name is version 2."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            found[controller] = path.lstrip("/")
    return found


def _create_split(name: str, memory_bytes: int, processes: int) -> ControlGroup | None:
    own = _own_groups()
    # Below our own group, so that a limit on the runner as a whole goes on holding.
    folders = {
        controller: _ROOT / controller / own.get(controller, "") / f"forgeyard-{name}"
        for controller in ("memory", "pids")
    }
    try:
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
            _check_writable(folder)
        (folders["memory"] / "memory.limit_in_bytes").write_text(str(memory_bytes))
        # The second one counts swap as well and exists only where swap is accounted.
        _write_if_there(folders["memory"] / "memory.memsw.limit_in_bytes", str(memory_bytes))
        (folders["pids"] / "pids.max").write_text(str(processes))
    except OSError:
        for folder in folders.values():
            with contextlib.suppress(OSError):
                folder.rmdir()
        return None
    return ControlGroup(folders, unified=False)


def _check_writable(folder: Path) -> None:
    if not os.access(folder / "cgroup.procs", os.W_OK):
        raise PermissionError(str(folder))


def _write_if_there(path: Path, text: str) -> None:
    if path.exists():
        path.write_text(text)


def _number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0
