"""Builds, batches of them, and their logs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Body, Query, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from forgeyard.actions.control import cancel_build, retry_build
from forgeyard.actions.submission import Submission
from forgeyard.actions.submit import submit
from forgeyard.actions.why import Why, why
from forgeyard.actions.yard import Yard
from forgeyard.errors import NotFound
from forgeyard.store.reading import builds as reading
from forgeyard.web.api.system import STREAM, STREAM_HEADERS
from forgeyard.web.authentication import Reader, Writer, YardHere
from forgeyard.web.logs import attempts_of, follow_build, last_of_each_stage, lines_of
from forgeyard.web.pages.ansi import plain
from forgeyard.web.standing import slots_of
from forgeyard.web.wire import WIRE

router = APIRouter(tags=["builds"])


class BuildWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which feedstocks to build."""

    #: Empty: every feedstock of the yard.
    feedstocks: list[str] = []
    #: Build although the inputs are the same.
    force: bool = False


@router.post("/builds", status_code=201)
def post_builds(
    yard: YardHere, actor: Writer, body: Annotated[BuildWish, Body(), WIRE]
) -> Annotated[Submission, WIRE]:
    """Ask for builds; what has not changed is kept, and the answer says so."""
    return submit(yard, actor, body.feedstocks, force=body.force)


@router.get("/builds", dependencies=[Reader])
def list_builds(
    yard: YardHere,
    state: str | None = None,
    batch: str | None = None,
    feedstock: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Annotated[list[reading.BuildView], WIRE]:
    """Builds, the newest first.  ``state`` takes states and outcomes, divided by commas."""
    states = tuple(part.strip() for part in state.split(",") if part.strip()) if state else ()
    with yard.store.read() as connection:
        return reading.some(
            connection,
            yard.now(),
            slots_of(yard),
            states=states,
            batch=batch,
            feedstock=feedstock,
            limit=limit,
        )


@router.get("/builds/{build_id}", dependencies=[Reader])
def get_build(yard: YardHere, build_id: str) -> Annotated[reading.BuildDetail, WIRE]:
    """One build with its attempts, dependencies and time left."""
    with yard.store.read() as connection:
        found = reading.detail(connection, build_id, yard.now(), slots_of(yard))
    if found is None:
        raise NotFound(f"there is no build {build_id}", code="build_unknown")
    return found


@router.get("/builds/{build_id}/why", dependencies=[Reader])
def get_why(yard: YardHere, build_id: str) -> Annotated[Why, WIRE]:
    """Why it was made, what it waits for, why it failed."""
    return why(yard, build_id)


@router.post("/builds/{build_id}/cancel")
def post_cancel(
    yard: YardHere, actor: Writer, build_id: str
) -> Annotated[reading.BuildDetail, WIRE]:
    """Stop a build; what waits for it is not built either."""
    cancel_build(yard, actor, build_id)
    return get_build(yard, build_id)


@router.post("/builds/{build_id}/retry", status_code=201)
def post_retry(yard: YardHere, actor: Writer, build_id: str) -> Annotated[Submission, WIRE]:
    """Build its feedstock again, whatever became of it before."""
    return retry_build(yard, actor, build_id)


@router.get(
    "/builds/{build_id}/log",
    dependencies=[Reader],
    response_class=PlainTextResponse,
    responses={200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}}},
)
def get_log(
    yard: YardHere,
    build_id: str,
    stage: str | None = None,
    attempt: str | None = None,
    first: Annotated[int, Query(alias="from", ge=1)] = 1,
    text: bool = False,
) -> Response:
    """The log as JSON lines, or with ``text=1`` as it was printed, without colours.

    The last attempt of each stage, unless ``attempt`` names one.
    """
    rows = attempts_of(yard, build_id, stage)
    rows = [r for r in rows if r.id == attempt] if attempt else last_of_each_stage(rows)
    lines = [line for row in rows for line in lines_of(yard, row.id)][first - 1 :]
    if text:
        content = "".join(f"{plain(line.m)}\n" for line in lines).encode()
        return Response(content, media_type="text/plain; charset=utf-8")
    return Response(msgspec.json.Encoder().encode_lines(lines), media_type="application/jsonl")


@router.get(
    "/builds/{build_id}/log/stream",
    dependencies=[Reader],
    response_class=StreamingResponse,
    responses=STREAM,
)
async def stream_log(
    yard: YardHere, request: Request, build_id: str, stage: str | None = None
) -> StreamingResponse:
    """The log as it grows (SSE): an event ``line`` for each, ``end`` when the build has ended."""
    # Before the stream starts, so that an unknown build is a proper 404.
    attempts_of(yard, build_id)
    return StreamingResponse(
        _lines(yard, request, build_id, stage),
        media_type="text/event-stream",
        headers=STREAM_HEADERS,
    )


async def _lines(
    yard: Yard, request: Request, build_id: str, stage: str | None
) -> AsyncIterator[bytes]:
    async for line in follow_build(yard, request.app.state.live, build_id, stage):
        if line is None:
            yield b": waiting\n\n"
        else:
            yield b"event: line\ndata: %s\n\n" % msgspec.json.encode(line)
    yield b"event: end\ndata: {}\n\n"


@router.get("/batches/{batch_id}", dependencies=[Reader])
def get_batch(yard: YardHere, batch_id: str) -> Annotated[reading.BatchView, WIRE]:
    """Builds that were asked for together: counts, percent, seconds left."""
    with yard.store.read() as connection:
        found = reading.batch(connection, batch_id, yard.now(), slots_of(yard))
    if found is None:
        raise NotFound(f"there is no batch {batch_id}", code="batch_unknown")
    return found
