"""One build: where it is, why, what it waits for, what it printed."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.responses import StreamingResponse

from forgeyard.actions.control import cancel_build, retry_build
from forgeyard.actions.why import why
from forgeyard.actions.yard import Yard
from forgeyard.errors import NotFound
from forgeyard.store.reading import builds as reading
from forgeyard.web.api.system import STREAM_HEADERS
from forgeyard.web.authentication import Reader, Writer, YardHere
from forgeyard.web.logs import LogLine, attempts_of, follow_attempt, lines_of
from forgeyard.web.pages.ansi import to_html
from forgeyard.web.pages.rendering import page
from forgeyard.web.standing import slots_of

router = APIRouter()

#: Lines of a log on one page.
_PAGE_LINES = 4000


class LogPhase(msgspec.Struct, frozen=True, kw_only=True):
    """A phase with its first line."""

    name: str
    line: int
    at: float


class LogView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a log, as a page shows it."""

    attempt: str
    stage: str
    number: int
    #: The attempt has ended: nothing more comes.
    ended: bool
    #: (number, line) pairs.
    lines: list[tuple[int, LogLine]]
    total: int
    phases: list[LogPhase]
    page: int
    pages: int


@router.get("/builds/{build_id}", dependencies=[Reader])
def build(
    request: Request,
    yard: YardHere,
    build_id: str,
    attempt: str | None = None,
    line: Annotated[int | None, Query(ge=1)] = None,
    log_page: Annotated[int | None, Query(alias="page", ge=1)] = None,
) -> Response:
    """All about a build."""
    with yard.store.read() as connection:
        found = reading.detail(connection, build_id, yard.now(), slots_of(yard))
    if found is None:
        raise NotFound(
            f"There is no build {build_id}",
            code="build_unknown",
            hint="The newest ones are listed on the page Builds.",
        )
    chosen = _chosen(found, attempt)
    return page(
        request,
        "build.html",
        build=found,
        why=why(yard, build_id),
        chosen=chosen,
        failed_attempt=_failed_attempt(found),
        log=_log(yard, chosen, line, log_page) if chosen else None,
        following=attempt is None,
    )


@router.get("/builds/{build_id}/log/live", dependencies=[Reader])
async def live_log(
    request: Request,
    yard: YardHere,
    build_id: str,
    attempt: str,
    after: Annotated[int, Query(ge=0)] = 0,
) -> StreamingResponse:
    """More lines of an attempt's log as HTML, as they come (SSE)."""
    if attempt not in {row.id for row in attempts_of(yard, build_id)}:
        raise NotFound(f"there is no attempt {attempt}", code="attempt_unknown")
    skip = int(request.headers.get("last-event-id") or after)
    return StreamingResponse(
        _live_lines(yard, request, attempt, skip),
        media_type="text/event-stream",
        headers=STREAM_HEADERS,
    )


async def _live_lines(
    yard: Yard, request: Request, attempt: str, skip: int
) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    async for found in follow_attempt(yard, request.app.state.live, attempt, skip):
        data = [
            {"n": n, "t": line.t, "p": line.p, "l": line.l, "html": str(to_html(line.m))}
            for n, line in found
        ]
        yield b"id: %d\nevent: lines\ndata: %s\n\n" % (found[-1][0], msgspec.json.encode(data))
    if not request.app.state.live.closing:
        yield b"event: end\ndata: {}\n\n"


@router.post("/builds/{build_id}/cancel")
def cancel(yard: YardHere, actor: Writer, build_id: str) -> Response:
    """Stop a build."""
    cancel_build(yard, actor, build_id)
    return RedirectResponse(f"/builds/{build_id}", 303)


@router.post("/builds/{build_id}/retry")
def retry(yard: YardHere, actor: Writer, build_id: str) -> Response:
    """Build it again, and go to the new build."""
    with yard.store.read() as connection:
        old = reading.detail(connection, build_id, yard.now(), 1)
    submission = retry_build(yard, actor, build_id)
    same = [b for b in submission.builds if old and (b.name, b.subdir) == (old.name, old.subdir)]
    new = next((b for b in same if old and b.build_string == old.build_string), None)
    new = new or next(iter(same or submission.builds), None)
    return RedirectResponse(f"/builds/{new.id}" if new else f"/builds/{build_id}", 303)


@router.post("/feedstocks/{name}/build")
def build_feedstock(
    yard: YardHere, actor: Writer, name: str, force: Annotated[bool, Form()] = False
) -> Response:
    """Ask for all that a feedstock makes."""
    from forgeyard.actions.submit import submit

    submission = submit(yard, actor, [name], force=force)
    place = f"/builds?batch={submission.batch}" if submission.builds else f"/feedstocks/{name}"
    return RedirectResponse(place, 303)


def _chosen(found: reading.BuildDetail, wanted: str | None) -> reading.AttemptView | None:
    """The attempt whose log is shown: the one asked for, the failed one, or the last."""
    if wanted is not None:
        for attempt in found.attempts:
            if attempt.id == wanted:
                return attempt
    return found.attempts[-1] if found.attempts else None


def _failed_attempt(found: reading.BuildDetail) -> str | None:
    """The attempt that a build's failure speaks of."""
    failure = found.failure
    return next(
        (a.id for a in reversed(found.attempts) if failure is not None and a.failure == failure),
        None,
    )


def _log(yard: Yard, attempt: reading.AttemptView, line: int | None, wanted: int | None) -> LogView:
    lines = lines_of(yard, attempt.id)
    pages = max(math.ceil(len(lines) / _PAGE_LINES), 1)
    shown = wanted or (math.ceil(line / _PAGE_LINES) if line else None)
    if shown is None and attempt.failure is not None and attempt.failure.log_line:
        shown = math.ceil(attempt.failure.log_line / _PAGE_LINES)
    shown = min(shown or pages, pages)
    first = (shown - 1) * _PAGE_LINES
    return LogView(
        attempt=attempt.id,
        stage=attempt.stage,
        number=attempt.number,
        ended=attempt.state == "ended",
        lines=list(enumerate(lines[first : first + _PAGE_LINES], first + 1)),
        total=len(lines),
        phases=_phases(lines),
        page=shown,
        pages=pages,
    )


def _phases(lines: list[LogLine]) -> list[LogPhase]:
    found: list[LogPhase] = []
    for number, line in enumerate(lines, 1):
        if line.p and (not found or found[-1].name != line.p):
            found.append(LogPhase(name=line.p, line=number, at=line.t))
    return found
