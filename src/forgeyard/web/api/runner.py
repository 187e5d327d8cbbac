"""What runners ask and tell, with the token of their attempt (DESIGN §5).

410 on any of these means that the attempt is no longer the current one of its build: the
runner stops and ends its process tree.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Depends, Header, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from forgeyard.actions import attempts as actions
from forgeyard.actions.attempts import AttemptAccess, AttemptGone, Heartbeat
from forgeyard.actions.yard import Yard
from forgeyard.builds.job import Job, JobResult, StagedArtifact
from forgeyard.errors import BadInput, Forbidden, NotFound, Unauthenticated
from forgeyard.governance.token import parse_token
from forgeyard.store import attempts as stored
from forgeyard.web.api.spool import spooled, whole_body
from forgeyard.web.authentication import YardHere, bearer, yard_of
from forgeyard.web.files.bytes import serve_object
from forgeyard.web.wire import WIRE

router = APIRouter(prefix="/runner/attempts/{attempt_id}", tags=["runner"])

_MOST_LOG_PIECE = 16 * 2**20
_MOST_RESULT = 64 * 2**20
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}
}


class LogSize(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a log the yard has."""

    size: int


class PhaseReached(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt has reached a phase."""

    #: ``fetch``, ``solve``, ``build``, ``test``, ``upload``…
    phase: str
    #: Epoch seconds.
    at: float


class StoredSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source that the mirror has taken."""

    sha256: str
    size: int


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """The yard has understood."""

    accepted: bool = True


def access_of(request: Request, attempt_id: str) -> AttemptAccess:
    """The attempt that asks.  Raises Unauthenticated or AttemptGone."""
    yard = yard_of(request)
    text = bearer(request) or ""
    try:
        return actions.attempt_for_token(yard, attempt_id, text)
    except Unauthenticated:
        # An attempt that has ended keeps no digest to compare with; a runner that waits for
        # a fresh token would wait for ever.
        parsed = parse_token(text)
        with yard.store.read() as connection:
            row = stored.get(connection, attempt_id)
        if parsed and parsed.id == attempt_id and row is not None and row.state == "ended":
            raise AttemptGone(f"{attempt_id} has ended") from None
        raise


Access = Annotated[AttemptAccess, Depends(access_of)]


@router.get("/job")
def get_job(yard: YardHere, access: Access, request: Request) -> Annotated[Job, WIRE]:
    """All that the runner gets to know of its attempt."""
    return actions.job_of(yard, access.attempt_id, str(request.base_url).rstrip("/"))


@router.get("/feedstock", response_class=StreamingResponse, responses=_BYTES)
def get_feedstock(yard: YardHere, access: Access, request: Request) -> Response:
    """The feedstock's files (``tar.zst``)."""
    job = actions.job_of(yard, access.attempt_id, str(request.base_url))
    return serve_object(yard, request, job.feedstock)


@router.get(
    "/sources/{sha256}",
    response_class=StreamingResponse,
    responses=_BYTES,
    dependencies=[Depends(access_of)],
)
def get_source(yard: YardHere, request: Request, sha256: str) -> Response:
    """A file of the source mirror."""
    if not actions.has_source(yard, sha256):
        raise NotFound(f"the mirror has no source {sha256}", code="source_unknown")
    return serve_object(yard, request, sha256)


@router.put("/sources/{sha256}")
async def put_source(
    yard: YardHere, access: Access, request: Request, sha256: str
) -> Annotated[StoredSource, WIRE]:
    """Give the mirror a source; its bytes are checked."""
    async with spooled(request, yard, _most_bytes(yard)) as file:
        await run_in_threadpool(actions.keep_source, yard, access, sha256, file)
        return StoredSource(sha256=sha256, size=file.stat().st_size)


@router.post("/log")
async def post_log(
    yard: YardHere, access: Access, request: Request, offset: int
) -> Annotated[LogSize, WIRE]:
    """Append to the log; 409 with ``size`` when something before ``offset`` is missing."""
    if offset < 0:
        raise BadInput("an offset is not negative", code="log_offset_negative")
    data = await whole_body(request, _MOST_LOG_PIECE)
    size = await run_in_threadpool(actions.append_log, yard, access, offset, data)
    request.app.state.live.log_written(access.attempt_id)
    return LogSize(size=size)


@router.post("/phase")
def post_phase(
    yard: YardHere, access: Access, body: Annotated[PhaseReached, Body(), WIRE]
) -> Annotated[Taken, WIRE]:
    """The attempt has reached a phase; the first one means that the runner has started."""
    actions.record_phase(yard, access, body.phase[:24], body.at)
    return Taken()


@router.put("/artifacts/{subdir}/{filename}")
async def put_artifact(
    yard: YardHere,
    access: Access,
    request: Request,
    subdir: str,
    filename: str,
    x_content_sha256: Annotated[str, Header()],
) -> Annotated[StagedArtifact, WIRE]:
    """Hand in a package file; it is opened and checked, and published only later."""
    async with spooled(request, yard, _most_bytes(yard)) as file:
        return await run_in_threadpool(
            actions.stage_artifact, yard, access, subdir, filename, file, x_content_sha256
        )


@router.get("/artifacts/{sha256}", response_class=StreamingResponse, responses=_BYTES)
def get_artifact(yard: YardHere, access: Access, request: Request, sha256: str) -> Response:
    """A package file that the attempt's job names."""
    job = actions.job_of(yard, access.attempt_id, str(request.base_url))
    if sha256 not in {artifact.sha256 for artifact in job.artifacts}:
        raise Forbidden("this attempt's job does not name that artifact", code="not_in_job")
    return serve_object(yard, request, sha256)


@router.post("/heartbeat")
def post_heartbeat(yard: YardHere, access: Access) -> Annotated[Heartbeat, WIRE]:
    """The runner lives; it hears whether to stop, and gets a fresh token in time."""
    return actions.heartbeat(yard, access)


@router.post(
    "/result",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/JobResult"}}},
        }
    },
)
async def post_result(yard: YardHere, access: Access, request: Request) -> Annotated[Taken, WIRE]:
    """How the attempt ended; the build moves on in the same moment."""
    data = await whole_body(request, _MOST_RESULT)
    try:
        result = msgspec.json.decode(data, type=JobResult)
    except msgspec.DecodeError as error:
        raise BadInput(f"not a result: {error}", code="result_invalid") from error
    await run_in_threadpool(actions.finish_attempt, yard, access, result)
    request.app.state.live.log_written(access.attempt_id)
    return Taken()


def _most_bytes(yard: Yard) -> int:
    return int(yard.settings.limits.disk_gib * 2**30)
