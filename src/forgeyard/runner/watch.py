"""Runs the worker in its sandbox and holds it to its limits.

Called from the supervisor's main thread: bubblewrap dies with the *thread* that started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import msgspec

from forgeyard.builds.job import Limits
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.executors import processes
from forgeyard.runner import cgroups, sandbox
from forgeyard.runner.spool import Spool

_TICK_SECONDS = 0.1
#: How often the processes are looked at; reading /proc costs about a millisecond.
_PROCESSES_SECONDS = 0.25
#: Walking the workspace may take this share of the time.
_DISK_SHARE = 0.03
_READ_BYTES = 1 << 16
#: A longer line is cut: a log is for people.
_LINE_BYTES = 1 << 20

_SCRIPT_SPANS = ("Running build script", "Running script test", "Running python test")
_PACKAGE_SPANS = ("Packaging new files", "Running package tests")


class Watched(msgspec.Struct, kw_only=True):
    """What happened in the sandbox."""

    #: What the worker said at its end; None when it never came to that.
    end: dict[str, Any] | None = None
    exit_code: int = 0
    #: Set when a limit, or a cancellation, ended it.
    stopped: Outcome | None = None
    failure: Failure | None = None
    script_started: bool = False
    script_ended: bool = False
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    peak_disk_bytes: int = 0
    warnings: list[str] = msgspec.field(default_factory=list)


class Watch:
    """One run of the sandbox."""

    def __init__(
        self,
        room: sandbox.Room,
        limits: Limits,
        spool: Spool,
        *,
        name: str,
        ends_at: float,
        interrupted: Callable[[], Outcome | None],
        control_groups: bool = True,
    ) -> None:
        self._room = room
        self._limits = limits
        self._spool = spool
        self._name = name
        #: ``time.monotonic()`` at which the attempt's wall time is over.
        self._ends_at = ends_at
        self._interrupted = interrupted
        self._control_groups = control_groups
        self._watched = Watched()
        self._rest = b""
        self._next_disk_look = 0.0
        self._next_processes_look = 0.0
        self._free_bytes = 0
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> Watched:
        """Until the worker ends or is ended; nothing of it runs afterwards."""
        group = self._group()
        argv = _joining(group, sandbox.command(self._room, ()))
        with subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={},
            start_new_session=True,
        ) as process:
            self._process = process
            try:
                self._follow(process)
            finally:
                # Its init dies with it, and with that the whole pid namespace.
                process.kill()
                process.wait()
        self._account(group)
        return self._watched

    def _group(self) -> cgroups.ControlGroup | None:
        if not self._control_groups:
            return None
        return cgroups.create(
            self._name,
            memory_bytes=self._limits.memory_bytes,
            processes=self._limits.processes,
        )

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        next_tick = time.monotonic() + _TICK_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                ready = selector.select(max(0.0, next_tick - time.monotonic()))
                if ready and not self._read(process.stdout):
                    break  # the worker and all that held its output are gone
                if self._watched.end is not None and process.poll() is not None:
                    break
                if time.monotonic() >= next_tick:
                    self._check(process.pid)
                    next_tick = time.monotonic() + _TICK_SECONDS
                elif ready and self._spool.size > self._limits.log_bytes:
                    self._check(process.pid)
                if self._watched.stopped is not None:
                    return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._watched.exit_code = process.wait(timeout=5)

    # ---- what it says

    def _read(self, stream: IO[bytes]) -> bool:
        try:
            data = os.read(stream.fileno(), _READ_BYTES)
        except BlockingIOError:
            return True
        if not data:
            if self._rest:
                self._line(self._rest)
                self._rest = b""
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > _LINE_BYTES:
            self._line(self._rest)
            self._rest = b""
        return True

    def _line(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            known = isinstance(event, dict) and ("log" in event or "end" in event)
        except ValueError:
            known = False
        if not known:  # printed by something below us, past rattler-build
            self._spool.write(line.decode(errors="replace"), "warn")
        elif "end" in event:
            self._watched.end = event["end"]
        else:
            self._log(str(event["log"]), str(event.get("level")), str(event.get("span") or ""))

    def _log(self, text: str, level: str, span: str) -> None:
        text = text.strip("\n")
        if span.startswith(_SCRIPT_SPANS):
            self._watched.script_started = True
            level = "cmd" if level == "info" and text.startswith("+ ") else level
        elif span.startswith(_PACKAGE_SPANS):
            self._watched.script_ended = True
        if level == "warn" and text and not span.startswith(_SCRIPT_SPANS):
            self._watched.warnings.append(text)
        if text or span.startswith(_SCRIPT_SPANS):
            self._spool.write(text[:_LINE_BYTES], level if level in _LEVELS else "info")

    # ---- what it may

    def _check(self, pid: int) -> None:
        now = time.monotonic()
        limits = self._limits
        if now > self._ends_at:
            self._stop(
                Outcome.TIMED_OUT,
                f"the attempt took longer than {limits.wall_seconds} s",
                "timed_out",
                "raise the limit for this feedstock, or split the build",
            )
        elif (outcome := self._interrupted()) is not None:
            self._stop(outcome, None)
        elif now - self._spool.last_line_at > limits.silence_seconds:
            self._stop(
                Outcome.SILENT,
                f"nothing was printed for {limits.silence_seconds} s",
                "silent",
                "it may hang, waiting for input or a lock; long steps should print something",
            )
        elif self._spool.size > limits.log_bytes:
            self._stop(
                Outcome.LOG_LIMIT,
                f"the log became larger than {limits.log_bytes} bytes",
                "log_limit",
                "make the build less talkative",
            )
        else:
            if now >= self._next_processes_look:
                self._next_processes_look = now + _PROCESSES_SECONDS
                self._check_processes(pid)
            self._check_disk(now)

    def _check_processes(self, pid: int) -> None:
        pids = processes.tree(pid)
        used = processes.usage(pids)
        memory = used.resident_bytes
        self._watched.peak_memory_bytes = max(self._watched.peak_memory_bytes, memory)
        self._watched.cpu_seconds = max(self._watched.cpu_seconds, used.cpu_seconds)
        if memory > self._limits.memory_bytes:
            self._stop_for_memory()
        elif len(pids) > self._limits.processes:
            self._stop(
                Outcome.FAILED,
                f"the build ran more than {self._limits.processes} processes at once",
                "process_limit",
                "use $CPU_COUNT for the number of parallel jobs",
            )

    def _stop_for_memory(self) -> None:
        self._stop(
            Outcome.OUT_OF_MEMORY,
            f"the build used more than {self._limits.memory_bytes} bytes of memory",
            "out_of_memory",
            "it needs a bigger slot, or fewer parallel jobs",
        )

    def _check_disk(self, now: float) -> None:
        free = _free_bytes(self._room.work)
        shrinking = self._free_bytes - free > self._limits.disk_bytes // 4
        if now < self._next_disk_look and not (shrinking and self._free_bytes):
            return
        self._free_bytes = free
        used = disk_bytes(self._room.work)
        took = time.monotonic() - now
        self._next_disk_look = now + max(1.0, took / _DISK_SHARE)
        self._watched.peak_disk_bytes = max(self._watched.peak_disk_bytes, used)
        if used > self._limits.disk_bytes:
            self._stop(
                Outcome.DISK_LIMIT,
                f"the build used more than {self._limits.disk_bytes} bytes of disk",
                "disk_limit",
                "it needs a bigger slot, or leaves too much behind while it builds",
            )

    def _stop(
        self, outcome: Outcome, message: str | None, code: str = "", hint: str | None = None
    ) -> None:
        self._watched.stopped = outcome
        if message is not None:
            self._spool.write(message, "error")
            self._watched.failure = Failure(
                code=code,
                message=message,
                hint=hint,
                phase=self._spool.phase,
                log_line=self._spool.lines,
            )

    def _account(self, group: cgroups.ControlGroup | None) -> None:
        if group is None:
            return
        self._watched.peak_memory_bytes = max(self._watched.peak_memory_bytes, group.peak_memory())
        went_well = self._watched.end is not None and "failed" not in self._watched.end
        if group.memory_kills() and self._watched.stopped is None and not went_well:
            self._stop_for_memory()
        group.remove()


_LEVELS = frozenset({"info", "warn", "error", "cmd"})


def _joining(group: cgroups.ControlGroup | None, argv: list[str]) -> list[str]:
    """The command, entering the group before it becomes bubblewrap."""
    if group is None:
        return argv
    files = group.joining
    enter = (
        'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1"; shift; n=$((n-1)); done; exec "$@"'
    )
    return ["/bin/sh", "-c", enter, "sh", str(len(files)), *files, *argv]


def _free_bytes(path: Path) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def disk_bytes(path: Path) -> int:
    """Bytes that a tree takes on disk; files with several names count once."""
    total = 0
    seen: set[int] = set()
    waiting = [str(path)]
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except OSError:
            continue  # removed, or closed, while we looked
        with entries:
            for entry in entries:
                try:
                    found = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                if found.st_nlink > 1 and not entry.is_dir(follow_symlinks=False):
                    if found.st_ino in seen:
                        continue
                    seen.add(found.st_ino)
                total += found.st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
    return total
