"""How values look on a terminal: plain tables, amounts, and colour where it is wanted."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from forgeyard.amounts import span

#: The meaning of a style, not its colour, is what callers name.
_STYLES: Mapping[str, dict[str, Any]] = {
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "busy": {"fg": "cyan"},
    "wait": {"fg": "yellow"},
    "note": {"fg": "blue"},
    "head": {"bold": True},
    "faint": {"dim": True},
}
_OF_WORD = {
    "succeeded": "good",
    "published": "good",
    "unchanged": "good",
    "kept": "good",
    "ok": "good",
    "running": "busy",
    "building": "busy",
    "testing": "busy",
    "publishing": "busy",
    "waiting": "wait",
    "ready": "wait",
    "cancelled": "wait",
    "superseded": "wait",
    "warning": "wait",
}


def style(text: str, meaning: str, *, err: bool = False) -> str:
    """The text in colour, where the stream is a terminal and NO_COLOR is not set."""
    stream = sys.stderr if err else sys.stdout
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return click.style(text, **_STYLES[meaning])


def style_word(word: str, *, err: bool = False) -> str:
    """A state or an outcome in the colour of its meaning."""
    return style(word, _OF_WORD.get(word.strip(), "bad"), err=err) if word.strip() else word


def say(text: str = "") -> None:
    """Something a person reads: standard error."""
    click.echo(text, err=True)


def print_json(value: Any) -> None:
    """Data for programs: standard output."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, words: Sequence[str] = ()
) -> None:
    """Aligned columns; those named in ``words`` hold states and get their colours."""
    texts = [[_cell(value) for value in row] for row in rows]
    widths = [
        max([len(name), *(len(row[place]) for row in texts)]) for place, name in enumerate(columns)
    ]
    click.echo(_line([name.upper() for name in columns], widths, "head"))
    coloured = {place for place, name in enumerate(columns) if name in words}
    for row in texts:
        padded = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        shown = [style_word(t) if place in coloured else t for place, t in enumerate(padded)]
        click.echo("  ".join(shown).rstrip())


def print_fields(fields: Iterable[tuple[str, Any]]) -> None:
    """``name: value`` lines; empty values are left out."""
    kept = [(name, _cell(value)) for name, value in fields if value not in (None, "", [], ())]
    width = max((len(name) for name, _ in kept), default=0)
    for name, text in kept:
        head = style(f"{name}:".ljust(width + 1), "head")
        click.echo(f"{head} {text.replace(chr(10), chr(10) + ' ' * (width + 2))}")


def _line(cells: Sequence[str], widths: Sequence[int], meaning: str) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
    return style("  ".join(padded).rstrip(), meaning)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(one) for one in value)
    return str(value)


def when(text: str | None) -> str:
    """An instant of the API as local time."""
    if not text:
        return "-"
    instant = datetime.fromisoformat(text)
    return instant.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def age(text: str | None) -> str:
    """How long ago an instant of the API was."""
    if not text:
        return "-"
    passed = (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds()
    if passed >= 48 * 3600:
        return f"{passed // 86400:.0f} d ago"
    return f"{span(max(passed, 0.0))} ago"
