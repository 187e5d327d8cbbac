"""The live table of a batch, drawn with rich on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from forgeyard.amounts import span
from forgeyard.cli.batch_progress import STAGES, Standing, ended_line, held_line
from forgeyard.cli.build_list import state_of

_STYLES = {
    "waiting": "yellow",
    "building": "cyan",
    "testing": "cyan",
    "published": "green",
    "unchanged": "green",
    "failed": "bold red",
}
_MOST_ROWS = 12


@contextmanager
def live_table() -> Iterator[LiveTable]:
    """A table that is redrawn in place; lines about ended builds go above it."""
    console = Console(stderr=True, highlight=False)
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        yield LiveTable(live)


class LiveTable:
    """See ``follow.View``."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, standing: Standing) -> None:
        """Draw the present state."""
        self._live.update(Group(_head(standing), _counts(standing), _running(standing)))

    def ended(self, build: dict[str, Any]) -> None:
        """A build has ended."""
        self._live.console.print(Text.from_ansi(ended_line(build)))

    def held(self, build: dict[str, Any]) -> None:
        """An attempt went wrong, and will be repeated."""
        self._live.console.print(Text.from_ansi(held_line(build)))


def _head(standing: Standing) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    left = standing.seconds_left
    grid.add_row(
        ProgressBar(
            total=100.0,
            completed=standing.percent,
            width=40,
            complete_style="cyan",
            finished_style="green",
        ),
        f"{standing.percent:3.0f} %",
        f"about {span(left)} left" if left is not None else "",
    )
    return grid


def _counts(standing: Standing) -> Text:
    parts: list[tuple[str, str] | str] = []
    for stage in STAGES:
        number = standing.counts[stage]
        parts += [(f"{stage} {number}", _STYLES[stage] if number else "dim"), "   "]
    return Text.assemble(*parts)


def _running(standing: Standing) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("package", "for", "now", "so far", "left", "build"):
        table.add_column(name, no_wrap=True)
    for build in standing.running[:_MOST_ROWS]:
        phase = build.get("phase")
        doing = state_of(build)
        table.add_row(
            f"{build['name']} {build['version']}",
            build["subdir"],
            Text(f"{doing} ({phase})" if phase and phase not in doing else doing, style="cyan"),
            span(build.get("seconds")),
            span(build.get("seconds_left")),
            build["id"],
        )
    if len(standing.running) > _MOST_ROWS:
        table.add_row(f"and {len(standing.running) - _MOST_ROWS} more")
    return table
