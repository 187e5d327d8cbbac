"""Health, status, journal and the stream of changes."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import StreamingResponse

from forgeyard import __version__
from forgeyard.store.reading import overview
from forgeyard.web.authentication import Reader, YardHere
from forgeyard.web.standing import Status, status_of
from forgeyard.web.wire import WIRE

router = APIRouter(tags=["yard"])

STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The server answers and its database can be read."""

    status: str
    version: str


@router.get("/health")
def get_health(yard: YardHere) -> Annotated[Health, WIRE]:
    """Whether the yard can work; open to all."""
    with yard.store.read() as connection:
        overview.journal_entries(connection, limit=1)
    return Health(status="ok", version=__version__)


@router.get("/status", dependencies=[Reader])
def get_status(yard: YardHere) -> Annotated[Status, WIRE]:
    """The yard at a glance: counts, pools, disk."""
    return status_of(yard)


@router.get("/journal", dependencies=[Reader])
def get_journal(
    yard: YardHere,
    subject: str | None = None,
    before: int | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Annotated[list[overview.JournalEntry], WIRE]:
    """Who did what: the newest entries, oldest first."""
    with yard.store.read() as connection:
        return overview.journal_entries(connection, subject=subject, before=before, limit=limit)


@router.get("/events", dependencies=[Reader], response_class=StreamingResponse, responses=STREAM)
async def get_events(request: Request, build: str | None = None) -> StreamingResponse:
    """Changes as they happen (SSE): ``build``, ``counts`` and ``published``."""
    return StreamingResponse(
        request.app.state.live.stream(build),
        media_type="text/event-stream",
        headers=STREAM_HEADERS,
    )
