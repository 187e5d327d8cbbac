"""Channels, packages and artifacts."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from forgeyard.errors import ForgeyardError, NotFound
from forgeyard.store import feedstocks
from forgeyard.store.reading import artifacts as artifact_reading
from forgeyard.store.reading import channels as reading
from forgeyard.store.reading import packages
from forgeyard.web.api.artifacts import artifact_of, files_of
from forgeyard.web.api.channels import channel_row
from forgeyard.web.authentication import Reader, YardHere
from forgeyard.web.pages.rendering import page
from forgeyard.web.provenance import statements_of

router = APIRouter(dependencies=[Reader])

_MOST_FILES = 2000


@router.get("/channels")
def channels(request: Request, yard: YardHere) -> Response:
    """All of them."""
    with yard.store.read() as connection:
        found = reading.every(connection)
    return page(request, "channels.html", channels=found)


@router.get("/channels/{name}")
def channel(request: Request, yard: YardHere, name: str) -> Response:
    """The packages of one."""
    with yard.store.read() as connection:
        found = reading.one(connection, name)
        if found is None:
            raise NotFound(f"There is no channel {name}", code="channel_unknown")
        held = packages.of_channel(connection, channel_row(connection, name).id)
        latest = reading.latest(connection, 8, name)
    return page(request, "channel.html", channel=found, packages=held, latest=latest)


@router.get("/packages")
def all_packages(yard: YardHere) -> Response:
    """The packages of the yard's own channel."""
    return RedirectResponse(f"/channels/{yard.settings.yard.channel}", 307)


@router.get("/packages/{name}")
def package(request: Request, yard: YardHere, name: str, channel: str | None = None) -> Response:
    """Versions, files, dependencies, and how to install it."""
    place = channel or yard.settings.yard.channel
    with yard.store.read() as connection:
        row = channel_row(connection, place)
        found = packages.detail(connection, row.id, place, name)
        here = {package.name for package in packages.of_channel(connection, row.id)}
        owner = feedstocks.owners(connection, [name]).get(name)
    if found is not None:
        return page(request, "package.html", package=found, here=here)
    if owner is not None:
        return page(request, "package_to_come.html", name=name, channel=place, feedstock=owner)
    raise NotFound(
        f"There is no package {name} in the channel {place}",
        code="package_unknown",
        hint="If you have a recipe for it: forgeyard feedstock add PATH",
    )


@router.get("/artifacts/{sha256}")
def artifact(request: Request, yard: YardHere, sha256: str) -> Response:
    """One file: what is in it, and how it came to be."""
    found = artifact_of(yard, sha256)
    with yard.store.read() as connection:
        origin = artifact_reading.origin(connection, found.build_id)
    try:
        files, trouble = files_of(yard, found), None
    except ForgeyardError as error:
        files, trouble = [], error.message
    return page(
        request,
        "artifact.html",
        artifact=found,
        origin=origin,
        statements=statements_of(yard, found),
        files=files[:_MOST_FILES],
        files_total=len(files),
        files_bytes=sum(file.size_in_bytes or 0 for file in files),
        trouble=trouble,
    )
