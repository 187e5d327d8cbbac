"""Follow a batch of builds to its end: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from forgeyard.amounts import span
from forgeyard.cli.build_list import state_of
from forgeyard.cli.show import say, style, style_word

if TYPE_CHECKING:
    from forgeyard.cli.followed import Followed

_POLL_SECONDS = 0.5
_PLAIN_SECONDS = 15.0
_QUIET_SECONDS = 60.0

#: The columns of the table, in the order in which a build goes through them.
STAGES = ("waiting", "building", "testing", "published", "unchanged", "failed")
#: States and outcomes that are no failure.
_STAGES = {
    "waiting": "waiting",
    "ready": "waiting",
    "succeeded": "published",
    "unchanged": "unchanged",
}


class View(Protocol):
    """What shows the progress."""

    def show(self, standing: Standing) -> None:
        """Draw the present state."""

    def ended(self, build: dict[str, Any]) -> None:
        """A build has ended."""

    def held(self, build: dict[str, Any]) -> None:
        """An attempt went wrong, and will be repeated."""


class Standing:
    """Where a batch stands."""

    def __init__(self, batch: dict[str, Any], builds: Sequence[dict[str, Any]]) -> None:
        self.percent = float(batch["percent"])
        self.seconds_left: float | None = batch["seconds_left"]
        self.total = int(batch["total"])
        self.failed = int(batch["failed"])
        self.done = batch["done"] == batch["total"]
        #: All of them, or what runs of a very large batch.
        self.builds = builds
        self.running = [build for build in builds if build["state"] == "running"]
        #: Will be tried again: the failure of a build that has not ended is not its last word.
        self.held = [build for build in builds if build["state"] == "ready" and build["failure"]]
        self.counts = self._counts(batch["counts"])

    def _counts(self, by_state: dict[str, int]) -> Counter[str]:
        """Builds by stage; the API counts what runs as one, the rows tell it apart."""
        counts = Counter(stage_of(build) for build in self.running)
        for state, number in by_state.items():
            if state != "running":
                counts[_STAGES.get(state, "failed")] += number
        return counts

    def words(self) -> str:
        """``waiting 3, building 2, published 10``: only what there is."""
        return ", ".join(f"{stage} {self.counts[stage]}" for stage in STAGES if self.counts[stage])


def stage_of(build: dict[str, Any]) -> str:
    """Which of STAGES a build is in."""
    if build["state"] == "running":
        return "building" if build["step"] == "build" else "testing"
    return _STAGES.get(build["outcome"] or build["state"], "failed")


def follow(followed: Followed) -> Standing:
    """Show the builds until all have ended; how they stand then."""
    told: set[tuple[str, str | None]] = set()
    with _view() as view:
        while True:
            standing = Standing(*followed.look())
            for build in standing.held:
                if _is_new(told, (build["id"], build["failure"]["message"])):
                    view.held(build)
            for build in standing.builds:
                if build["state"] == "done" and _is_new(told, (build["id"], None)):
                    view.ended(build)
            view.show(standing)
            if standing.done:
                break
            time.sleep(_POLL_SECONDS)
    say(_verdict(standing))
    return standing


def _is_new(told: set[tuple[str, str | None]], what: tuple[str, str | None]) -> bool:
    before = len(told)
    told.add(what)
    return len(told) > before


def _verdict(standing: Standing) -> str:
    words = standing.words()
    if not standing.failed:
        return style(f"all done: {words}", "good", err=True)
    failed = [build for build in standing.builds if stage_of(build) == "failed"]
    causes = [build for build in failed if build["outcome"] != "dependency_failed"] or failed
    more = f"; see 'forgeyard why {causes[-1]['id']}'" if causes else ""
    return style(f"done: {words}", "bad", err=True) + more


def ended_line(build: dict[str, Any]) -> str:
    """One line about a build that has ended."""
    state = state_of(build)
    shown = "published" if state == "succeeded" else state.replace("_", " ")
    package = f"{build['name']} {build['version']}"
    took = build.get("seconds")
    line = f"{style_word(f'{shown:<10}', err=True)} {package}"
    if took is not None:
        line += f"  {style(f'in {span(took)}', 'faint', err=True)}"
    failure = build.get("failure")
    if stage_of(build) == "failed" and failure:
        line += f"  {build['id']}: {failure['message'].splitlines()[0]}"
    return line


def held_line(build: dict[str, Any]) -> str:
    """One line about a build that waits to be tried again."""
    head = style_word(f"{'waiting':<10}", err=True)
    message = build["failure"]["message"].splitlines()[0]
    return (
        f"{head} {build['name']} {build['version']} to be tried again after: {message}; "
        f"see 'forgeyard why {build['id']}'"
    )


@contextmanager
def _view() -> Iterator[View]:
    made: AbstractContextManager[View]
    if sys.stderr.isatty():
        from forgeyard.cli.live_table import live_table

        made = live_table()
    else:
        made = _plain()
    with made as view:
        yield view


@contextmanager
def _plain() -> Iterator[View]:
    yield _Plain()


class _Plain:
    """Lines: one for each start and end, and a summary now and then."""

    def __init__(self) -> None:
        self._started: dict[str, str] = {}
        self._last = time.monotonic()
        self._summary = ""

    def show(self, standing: Standing) -> None:
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
        say(ended_line(build))

    def held(self, build: dict[str, Any]) -> None:
        say(held_line(build))
