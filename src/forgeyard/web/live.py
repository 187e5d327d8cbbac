"""What changes, told to everybody who listens (Server-Sent Events, HTML Standard §9.2).

One task looks at the store, right after a commit of this process and at the latest every
second for commits of others; its findings go to all listeners.  A thousand open pages cost
the database what one costs, and nothing while nobody listens.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import structlog
from starlette.concurrency import run_in_threadpool

from forgeyard.actions.yard import Yard
from forgeyard.store.reading import changes

log = structlog.get_logger()

_LONGEST_SECONDS = 1.0
#: Commits that come faster are told together.
_SHORTEST_SECONDS = 0.1
#: A listener that is so far behind starts anew.
_QUEUE = 256
_KEEP_ALIVE_SECONDS = 15.0


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the stream."""

    #: ``build``, ``counts`` or ``published``.
    event: str
    data: Any
    #: Whom it is about; listeners may ask for one build only.
    build: str | None = None

    def encode(self) -> bytes:
        """As the stream has it."""
        data = msgspec.json.encode(self.data)
        return b"event: %s\ndata: %s\n\n" % (self.event.encode(), data)


class Listener:
    """One open page or client."""

    def __init__(self, build: str | None) -> None:
        self.build = build
        self.queue: asyncio.Queue[Event] = asyncio.Queue(_QUEUE)
        self.last_word = asyncio.get_running_loop().time()

    def wants(self, event: Event) -> bool:
        """Whether an event is for this listener."""
        if self.build is None:
            return True
        return event.build == self.build

    def quiet(self) -> bool:
        """Whether it is time to say that the stream is alive."""
        now = asyncio.get_running_loop().time()
        if now - self.last_word < _KEEP_ALIVE_SECONDS:
            return False
        self.last_word = now
        return True


class Live:
    """The one that looks, and the many that listen.  Lives on one event loop."""

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._listeners: set[Listener] = set()
        self._log_bells: dict[str, asyncio.Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        yard.store.on_commit(self._committed)

    @property
    def closing(self) -> bool:
        """The server wants to stop: streams end."""
        return self._closing.is_set()

    def close(self) -> None:
        """End all streams."""
        self._closing.set()
        self._wake.set()
        for bell in self._log_bells.values():
            bell.set()

    async def stream(self, build: str | None) -> AsyncIterator[bytes]:
        """Events from now on, until the server stops or the listener goes."""
        listener = Listener(build)
        self._listeners.add(listener)
        self._start()
        try:
            # An answer at once: proxies and browsers then know that the stream is open.
            yield b"retry: 1000\n\n"
            while not self.closing:
                try:
                    event = await asyncio.wait_for(listener.queue.get(), _LONGEST_SECONDS)
                except TimeoutError:
                    if listener.quiet():
                        yield b": still here\n\n"
                    continue
                yield event.encode()
        finally:
            self._listeners.discard(listener)

    def log_written(self, attempt_id: str) -> None:
        """A runner has sent a piece of log; called on the event loop."""
        bell = self._log_bells.get(attempt_id)
        if bell is not None:
            bell.set()

    async def more_log(self, attempt_id: str) -> None:
        """Wait until an attempt's log may have grown, or a moment has passed."""
        bell = self._log_bells.setdefault(attempt_id, asyncio.Event())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(bell.wait(), _LONGEST_SECONDS)
        bell.clear()

    def forget_log(self, attempt_id: str) -> None:
        """Nobody reads this log any more, or all will ask again."""
        self._log_bells.pop(attempt_id, None)

    # ── looking ───────────────────────────────────────────────────────────────────────

    def _committed(self) -> None:
        loop = self._loop
        if loop is not None and self._listeners and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._loop = asyncio.get_running_loop()
            self._task = self._loop.create_task(self._look())

    async def _look(self) -> None:
        seen: changes.Seen | None = None
        while self._listeners and not self.closing:
            try:
                watched = {item.build for item in self._listeners if item.build}
                after = await run_in_threadpool(self._read, watched, seen)
            except Exception:
                log.exception("web.live")
            else:
                for event in _differences(seen, after):
                    self._tell(event)
                seen = after
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), _LONGEST_SECONDS)
            self._wake.clear()
            await asyncio.sleep(_SHORTEST_SECONDS)

    def _read(self, watched: set[str], seen: changes.Seen | None) -> changes.Seen:
        with self._yard.store.read() as connection:
            return changes.look(connection, watched, seen)

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            if listener.wants(event):
                if listener.queue.full():
                    listener.queue.get_nowait()
                listener.queue.put_nowait(event)


def _differences(before: changes.Seen | None, after: changes.Seen) -> list[Event]:
    if before is None:
        return []
    events = [
        Event(event="build", data=build, build=build.id)
        for build in after.builds.values()
        if before.builds.get(build.id) != build
    ]
    if before.counts != after.counts:
        events.append(Event(event="counts", data=after.counts))
    if before.published != after.published:
        events.append(Event(event="published", data={"publication": after.published}))
    return events
