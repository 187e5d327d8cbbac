"""The progress of a batch as plain lines, where there is no terminal."""

from __future__ import annotations

import time
from typing import Any

from forgeyard.amounts import span
from forgeyard.cli.batch_progress import Standing, ended_line, held_line
from forgeyard.cli.build_list import state_of
from forgeyard.cli.show import say

_PLAIN_SECONDS = 15.0
_QUIET_SECONDS = 60.0


class PlainLines:
    """One line for each start and end, and a summary now and then."""

    def __init__(self) -> None:
        self._started: dict[str, str] = {}
        self._last = time.monotonic()
        self._summary = ""

    def show(self, standing: Standing) -> None:
        """Tell what is new."""
        for build in standing.running:
            doing = state_of(build)
            if self._started.get(build["id"]) != doing and doing != "publishing":
                self._started[build["id"]] = doing
                say(f"{doing:<10} {build['name']} {build['version']}")
        left = standing.seconds_left
        more = f", about {span(left)} left" if left is not None else ""
        summary = f"{standing.percent:.0f} %: {standing.words()}{more}"
        passed = time.monotonic() - self._last
        # Nothing new is worth a line only now and then, as a sign of life.
        if passed >= (_PLAIN_SECONDS if summary != self._summary else _QUIET_SECONDS):
            self._last, self._summary = time.monotonic(), summary
            say(summary)

    def ended(self, build: dict[str, Any]) -> None:
        """A build has ended."""
        say(ended_line(build))

    def held(self, build: dict[str, Any]) -> None:
        """A build will be tried again."""
        say(held_line(build))
