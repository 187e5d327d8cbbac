"""Dispatch, look after attempts and publish, whenever something has happened.

Each loop sleeps until the store commits something or a clock is due, so that a build is
handed over within milliseconds of being asked for and an idle yard costs nothing.
"""

from __future__ import annotations

import fcntl
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import structlog

from forgeyard.actions.dispatch import dispatch, look_after, take_over, tidy
from forgeyard.actions.publish import ensure_channel, publish_build
from forgeyard.actions.yard import Yard
from forgeyard.errors import Unavailable
from forgeyard.executors.interface import Executor
from forgeyard.executors.local.executor import LocalExecutor
from forgeyard.store import builds

log = structlog.get_logger()

#: Processes are looked at this often; results come by themselves and do not wait for it.
_WATCH_SECONDS = 1.0
#: Other processes may commit without a word to this one.
_IDLE_SECONDS = 0.5
#: A loop that failed waits before it goes on.
_TROUBLE_SECONDS = 2.0


class Daemon:
    """The loops of one yard.  One daemon per yard: a lock file sees to it."""

    def __init__(self, yard: Yard, server_url: str) -> None:
        self.yard = yard
        self.server_url = server_url
        self.executors: Mapping[str, Executor] = {
            pool.name: LocalExecutor(yard.folder("work")) for pool in yard.pools()
        }
        self._stopping = threading.Event()
        self._wakes: list[threading.Event] = []
        self._threads: list[threading.Thread] = []
        self._lock: IO[str] | None = None

    def start(self) -> None:
        """Take over what an earlier daemon left, then run until `stop`."""
        self._lock = _only_one(self.yard.directory / "daemon.lock")
        with self.yard.store.write() as connection:
            ensure_channel(connection, self.yard, self.yard.settings.yard.channel)
        take_over(self.yard, self.executors, self.server_url)
        self.yard.store.on_commit(self._wake_all)
        self._run("dispatch", self._dispatch, _IDLE_SECONDS)
        self._run("publish", self._publish, _IDLE_SECONDS)
        self._run("watch", self._watch, _WATCH_SECONDS, wakes=False)

    def stop(self) -> None:
        """Stop the loops.  Running attempts go on; the next daemon adopts them."""
        self._stopping.set()
        self._wake_all()
        for thread in self._threads:
            thread.join(timeout=10)
        if self._lock is not None:
            self._lock.close()

    def _wake_all(self) -> None:
        for wake in self._wakes:
            wake.set()

    def _run(
        self, name: str, work: Callable[[], None], seconds: float, *, wakes: bool = True
    ) -> None:
        wake = threading.Event()
        if wakes:
            self._wakes.append(wake)

        def loop() -> None:
            while not self._stopping.is_set():
                wake.clear()
                try:
                    work()
                except Exception:
                    log.exception("daemon.trouble", loop=name)
                    self._stopping.wait(_TROUBLE_SECONDS)
                if wakes:
                    wake.wait(seconds)
                else:
                    self._stopping.wait(seconds)

        thread = threading.Thread(target=loop, name=f"forgeyard-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _dispatch(self) -> None:
        while not self._stopping.is_set() and dispatch(self.yard, self.executors, self.server_url):
            pass

    def _publish(self) -> None:
        with self.yard.store.read() as connection:
            ready = builds.to_publish(connection, time.time())
        for build_id in ready:
            publish_build(self.yard, build_id)

    def _watch(self) -> None:
        look_after(self.yard, self.executors)
        tidy(self.yard, self.executors)


def _only_one(path: Path) -> IO[str]:
    """Hold the yard's daemon lock as long as this process lives."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise Unavailable(
            "another server runs this yard already",
            code="yard_running",
            hint="Use that one, or stop it first (its address is in server.json).",
        ) from error
    return file
