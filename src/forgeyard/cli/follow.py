"""Follow a batch of builds to its end: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from forgeyard.cli.batch_progress import Standing, stage_of
from forgeyard.cli.show import say, style

if TYPE_CHECKING:
    from forgeyard.cli.followed import Followed

_POLL_SECONDS = 0.5


class View(Protocol):
    """What shows the progress."""

    def show(self, standing: Standing) -> None:
        """Draw the present state."""

    def ended(self, build: dict[str, Any]) -> None:
        """A build has ended."""

    def held(self, build: dict[str, Any]) -> None:
        """An attempt went wrong, and will be repeated."""


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


@contextmanager
def _view() -> Iterator[View]:
    if not sys.stderr.isatty():
        from forgeyard.cli.plain_lines import PlainLines

        yield PlainLines()
        return
    from forgeyard.cli.live_table import live_table

    with live_table() as view:
        yield view
