"""The log of an attempt: first on this machine's disk, then at the yard.

Each line is a JSON object ``{"t": seconds since the start, "p": phase, "l": level,
"m": text as printed}``.  The spool is the truth; ``Correspondent`` sends what the yard
does not have yet, so a yard that was away loses nothing.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from forgeyard.errors import Unavailable
from forgeyard.runner.yard_client import AttemptEnded, Refused, YardClient

_PUSH_BYTES = 1 << 18
#: A viewer sees a line this long after it was written, at the latest.
_PUSH_SECONDS = 0.25
#: How many of the last lines are kept in memory to explain a failure.
_TAIL_LINES = 200


class Spool:
    """Appends lines; used from the main thread only."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.path = path
        self.phase = "fetch"
        self.lines = 0
        self.size = 0
        #: (number of the line from 1, text) of the last lines.
        self.tail: deque[tuple[int, str]] = deque(maxlen=_TAIL_LINES)
        self._clock = clock
        self._start = clock()
        self.last_line_at = self._start
        self._file = path.open("ab", buffering=0)
        self.size = self._file.tell()

    def write(self, text: str, level: str = "info") -> None:
        """Write text; one record for each of its lines."""
        now = self._clock()
        self.last_line_at = now
        records = []
        for line in text.split("\n"):
            self.lines += 1
            self.tail.append((self.lines, line))
            record = {"t": round(now - self._start, 3), "p": self.phase, "l": level, "m": line}
            records.append(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
        data = ("\n".join(records) + "\n").encode("utf-8", errors="replace")
        self._file.write(data)
        self.size += len(data)

    def close(self) -> None:
        """No more lines."""
        self._file.close()


class Correspondent(threading.Thread):
    """Tells the yard phases, log and signs of life, in the background.

    ``on_end(reason)`` is called once, from this thread, when the yard wants the attempt
    to end: reason ``cancelled`` or ``superseded``.
    """

    def __init__(
        self,
        client: YardClient,
        spool: Spool,
        *,
        heartbeat_seconds: float,
        store_token: Callable[[str], None],
        on_end: Callable[[str], None],
    ) -> None:
        super().__init__(name="correspondent", daemon=True)
        self._client = client
        self._spool = spool
        self._heartbeat_seconds = heartbeat_seconds
        self._store_token = store_token
        self._on_end = on_end
        self._phases: deque[tuple[str, float]] = deque()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._sent = 0
        self.ended = False

    def phase(self, name: str) -> None:
        """Queue the news that a phase begins now."""
        self._phases.append((name, time.time()))
        self._wake.set()

    def run(self) -> None:
        """Until stopped: one thing after another, on one connection."""
        next_heartbeat = time.monotonic() + self._heartbeat_seconds
        with self._spool.path.open("rb") as log:
            while not self.ended:
                finishing = self._stopping.is_set()
                try:
                    self._send_phases()
                    while self._send_log(log) and not self.ended:
                        pass
                    if time.monotonic() >= next_heartbeat:
                        next_heartbeat = time.monotonic() + self._heartbeat_seconds
                        self._heartbeat()
                except AttemptEnded:
                    self._end("superseded")
                except (Refused, Unavailable):
                    # Tried again in the next round; the spool keeps everything.
                    if not finishing:
                        self._stopping.wait(min(1.0, self._heartbeat_seconds))
                        continue
                    time.sleep(_PUSH_SECONDS)
                    continue
                if finishing:
                    return
                self._wake.wait(_PUSH_SECONDS)
                self._wake.clear()

    def finish(self, timeout: float | None = None) -> bool:
        """Send what is left; true when the yard has everything (or wants no more)."""
        self._stopping.set()
        self._wake.set()
        self.join(timeout)
        return not self.is_alive()

    def _send_phases(self) -> None:
        while self._phases:
            name, at = self._phases[0]
            self._client.phase(name, at, tries=1)
            self._phases.popleft()

    def _send_log(self, log: BinaryIO) -> bool:
        log.seek(self._sent)
        data = log.read(_PUSH_BYTES)
        if not data:
            return False
        has = self._client.append_log(self._sent, data, tries=1)
        if has == self._sent:  # an answer that moves nothing must not become a busy loop
            raise Unavailable("the yard does not take the log")
        self._sent = has
        return True

    def _heartbeat(self) -> None:
        answer = self._client.heartbeat(tries=1)
        if answer.get("token"):
            self._store_token(str(answer["token"]))
        if answer.get("cancel"):
            self._on_end("cancelled")

    def _end(self, reason: str) -> None:
        self.ended = True
        self._on_end(reason)
