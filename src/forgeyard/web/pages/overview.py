"""The yard at a glance, the queue, the journal, and finding things."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from forgeyard.store import builds as stored_builds
from forgeyard.store import feedstocks as stored_feedstocks
from forgeyard.store.reading import artifacts, builds, channels, overview, packages
from forgeyard.web.authentication import Reader, YardHere
from forgeyard.web.pages.rendering import page
from forgeyard.web.standing import slots_of, status_of

router = APIRouter()

_QUEUE_LENGTH = 200


@router.get("/", dependencies=[Reader])
def home(request: Request, yard: YardHere) -> Response:
    """What runs, what is wrong, what came out last."""
    now, slots = yard.now(), slots_of(yard)
    with yard.store.read() as connection:
        found: dict[str, Any] = {
            "running": builds.running(connection, now, slots),
            "next_up": builds.queued(connection, now, slots, 6),
            "failures": builds.failed_last(connection, now, 8),
            "published": channels.latest(connection, 10),
        }
    return page(request, "home.html", status_=status_of(yard), **found)


@router.get("/queue", dependencies=[Reader])
def queue(request: Request, yard: YardHere) -> Response:
    """Who is next, and why the others wait."""
    now, slots = yard.now(), slots_of(yard)
    with yard.store.read() as connection:
        running = builds.running(connection, now, slots)
        queued = builds.queued(connection, now, slots, _QUEUE_LENGTH)
        ids = [build.id for build in queued]
        needs, refused = builds.open_needs(connection, ids), builds.refused(connection, ids)
    return page(
        request,
        "queue.html",
        running=running,
        queued=queued,
        needs=needs,
        refused=refused,
        status_=status_of(yard),
        slots=slots,
    )


@router.get("/builds", dependencies=[Reader])
def recent(
    request: Request, yard: YardHere, state: str | None = None, batch: str | None = None
) -> Response:
    """The builds, newest first."""
    states = tuple(part for part in (state or "").split(",") if part)
    with yard.store.read() as connection:
        found = builds.some(
            connection, yard.now(), slots_of(yard), states=states, batch=batch, limit=200
        )
        told = builds.batch(connection, batch, yard.now(), slots_of(yard)) if batch else None
    return page(request, "builds.html", builds=found, state=state, batch=told, batch_id=batch)


@router.get("/journal", dependencies=[Reader])
def journal(
    request: Request,
    yard: YardHere,
    subject: str | None = None,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """Who did what."""
    with yard.store.read() as connection:
        entries = overview.journal_entries(
            connection, subject=subject or None, before=before, limit=100
        )
    return page(request, "journal.html", entries=entries[::-1], subject=subject or "")


@router.get("/find", dependencies=[Reader])
def find(request: Request, yard: YardHere, q: str = "") -> Response:
    """Go to what a text names, or list what holds it."""
    text = q.strip()
    with yard.store.read() as connection:
        if re.fullmatch(r"b-[0-9a-z]+", text) and stored_builds.get(connection, text):
            return RedirectResponse(f"/builds/{text}", 303)
        if re.fullmatch(r"[0-9a-f]{64}", text) and artifacts.detail(connection, text):
            return RedirectResponse(f"/artifacts/{text}", 303)
        names = packages.names_like(connection, text) if text else []
        stocks = [
            row.name for row in stored_feedstocks.active(connection) if text and text in row.name
        ]
    if text in names:
        return RedirectResponse(f"/packages/{text}", 303)
    return page(request, "find.html", text=text, names=names, stocks=stocks)
