"""Processes by their recorded identity: never by name, never by a bare number.

A pid is used again by the kernel; a pid together with its start time and the boot id is
not.  Signals go through a pidfd, so that nothing can take the number in between.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import msgspec

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


class ProcessIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Names one process of one boot of one machine."""

    pid: int
    #: Clock ticks between boot and the start of the process.
    start_ticks: int
    boot_id: str


def boot_id() -> str:
    """What the kernel calls this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat_fields(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command name stands in brackets and may itself hold spaces and brackets.
    return text.rsplit(")", 1)[1].split()


def identify(pid: int) -> ProcessIdentity | None:
    """Identity of a running process; ``None`` when it is gone or a zombie."""
    fields = _stat_fields(pid)
    if fields is None or fields[0] in "ZX":
        return None
    return ProcessIdentity(pid=pid, start_ticks=int(fields[19]), boot_id=boot_id())


def is_running(identity: ProcessIdentity) -> bool:
    """Whether exactly this process still runs."""
    return identify(identity.pid) == identity


def send_signal(identity: ProcessIdentity, number: signal.Signals) -> bool:
    """Signal exactly this process; false when it is gone."""
    try:
        handle = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_running(identity):
            return False
        signal.pidfd_send_signal(handle, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found.extend(int(word) for word in (thread / "children").read_text().split())
    except OSError:
        pass  # it ended while we looked
    return found


def _children_by_parent() -> dict[int, list[int]]:
    by_parent: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat_fields(int(entry.name))) is not None:
            by_parent.setdefault(int(fields[1]), []).append(int(entry.name))
    return by_parent


def tree(pid: int) -> list[int]:
    """A process and all its descendants.

    Complete for a sandbox: in a pid namespace orphans become children of its init.
    """
    if Path(f"/proc/self/task/{os.getpid()}/children").exists():
        children = _children
    else:  # kernels without CONFIG_PROC_CHILDREN
        by_parent = _children_by_parent()

        def children(pid: int) -> list[int]:
            return by_parent.get(pid, [])

    found: list[int] = []
    waiting = [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        waiting.extend(children(current))
    return found


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What some processes use together."""

    #: Memory that they hold; what they share is counted for each.
    resident_bytes: int
    #: Of the processes and of their children that have ended.
    cpu_seconds: float


def usage(pids: list[int]) -> Usage:
    """One look; processes that end meanwhile count nothing."""
    pages = ticks = 0
    for pid in pids:
        fields = _stat_fields(pid)
        if fields is not None:
            ticks += sum(int(fields[number]) for number in (11, 12, 13, 14))
            pages += int(fields[21])
    return Usage(resident_bytes=pages * _PAGE, cpu_seconds=ticks / _TICKS)
