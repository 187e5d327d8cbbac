"""Logs of attempts, whole or from some place on, ended or still growing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool

from forgeyard.actions.attempts import log_path, read_log
from forgeyard.actions.yard import Yard
from forgeyard.errors import NotFound
from forgeyard.store import attempts, builds
from forgeyard.web.live import Live


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line, as a runner sends it."""

    #: Seconds since the attempt started.
    t: float = 0.0
    #: Phase: ``fetch``, ``solve``, ``build``, ``test``, ``upload``…
    p: str = ""
    #: ``info``, ``warn``, ``error`` or ``cmd``.
    l: str = "info"  # noqa: E741 - as it is on the wire
    #: The text as it was printed, colours included.
    m: str = ""


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A line with its place."""

    #: Counts from 1 in its attempt.
    n: int
    t: float
    p: str
    l: str  # noqa: E741
    m: str
    attempt: str
    stage: str


class Grown(msgspec.Struct, frozen=True, kw_only=True):
    """What has come since the last look."""

    lines: list[LogLine]
    #: Bytes read so far.
    offset: int
    #: The attempt had ended before the look, so that nothing more comes.
    ended: bool


_decoder = msgspec.json.Decoder(LogLine)


def parse_lines(data: bytes) -> list[LogLine]:
    """Lines of a log; what is no line of ours is shown as it is, not dropped."""
    return [_line(raw) for raw in data.splitlines() if raw.strip()]


def _line(raw: bytes) -> LogLine:
    try:
        return _decoder.decode(raw)
    except msgspec.DecodeError:
        return LogLine(m=raw.decode(errors="replace"))


def lines_of(yard: Yard, attempt_id: str) -> list[LogLine]:
    """The whole log of an attempt."""
    return parse_lines(read_log(yard, attempt_id))


def look(yard: Yard, attempt_id: str, offset: int) -> Grown:
    """Whole lines that came after ``offset``."""
    with yard.store.read() as connection:
        row = attempts.get(connection, attempt_id)
    ended = row is None or row.state == "ended"
    try:
        with log_path(yard, attempt_id).open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        data = read_log(yard, attempt_id)[offset:]
    if not ended:
        # A line is shown when it is whole.
        data = data[: data.rfind(b"\n") + 1]
    return Grown(lines=parse_lines(data), offset=offset + len(data), ended=ended)


def attempts_of(yard: Yard, build_id: str, stage: str | None = None) -> list[Any]:
    """Attempts of a build, oldest first.  Raises NotFound."""
    with yard.store.read() as connection:
        if builds.get(connection, build_id) is None:
            raise NotFound(f"there is no build {build_id}", code="build_unknown")
        rows = attempts.of_build(connection, build_id)
    return [row for row in rows if stage in (None, row.stage)]


def last_of_each_stage(rows: list[Any]) -> list[Any]:
    """The attempts that count: the last one of each stage."""
    last = {row.stage: row for row in rows}
    return [row for row in rows if last[row.stage].id == row.id]


async def follow_attempt(
    yard: Yard, live: Live, attempt_id: str, skip: int = 0
) -> AsyncIterator[list[tuple[int, LogLine]]]:
    """Numbered lines after the first ``skip``, as they come, until the attempt has ended."""
    offset, number = 0, 0
    while not live.closing:
        grown = await run_in_threadpool(look, yard, attempt_id, offset)
        offset = grown.offset
        found = list(enumerate(grown.lines, number + 1))
        number += len(found)
        if fresh := [(n, line) for n, line in found if n > skip]:
            yield fresh
        if grown.ended:
            live.forget_log(attempt_id)
            return
        await live.more_log(attempt_id)


async def follow_build(
    yard: Yard, live: Live, build_id: str, stage: str | None
) -> AsyncIterator[Placed | None]:
    """Lines of a build until it has ended; None while there is nothing to read."""
    seen: set[str] = set()
    while not live.closing:
        rows = await run_in_threadpool(attempts_of, yard, build_id, stage)
        fresh = [row for row in rows if row.id not in seen]
        if not seen:
            # Who comes late gets what counts; who follows gets each further attempt.
            fresh = last_of_each_stage(fresh)
            seen.update(row.id for row in rows)
        for row in fresh:
            seen.add(row.id)
            async for found in follow_attempt(yard, live, row.id):
                for n, line in found:
                    yield Placed(
                        n=n, t=line.t, p=line.p, l=line.l, m=line.m, attempt=row.id, stage=row.stage
                    )
        if fresh:
            continue
        if await run_in_threadpool(_done, yard, build_id):
            return
        yield None
        await live.more_log(build_id)


def _done(yard: Yard, build_id: str) -> bool:
    with yard.store.read() as connection:
        row = builds.get(connection, build_id)
    return row is None or row.state == "done"
