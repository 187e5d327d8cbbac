"""Channels and the packages in them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from sqlalchemy import Connection

from forgeyard.errors import NotFound
from forgeyard.store import channels as stored
from forgeyard.store.reading import channels as reading
from forgeyard.store.reading import packages
from forgeyard.web.authentication import Reader, YardHere
from forgeyard.web.wire import WIRE

router = APIRouter(prefix="/channels", tags=["channels"], dependencies=[Reader])


@router.get("")
def list_channels(yard: YardHere) -> Annotated[list[reading.ChannelView], WIRE]:
    """All channels."""
    with yard.store.read() as connection:
        return reading.every(connection)


@router.get("/{name}")
def get_channel(yard: YardHere, name: str) -> Annotated[reading.ChannelView, WIRE]:
    """One channel with its labels."""
    with yard.store.read() as connection:
        found = reading.one(connection, name)
    if found is None:
        raise NotFound(f"there is no channel {name}", code="channel_unknown")
    return found


@router.get("/{name}/packages")
def list_packages(yard: YardHere, name: str) -> Annotated[list[packages.PackageView], WIRE]:
    """The packages of a channel, by name."""
    with yard.store.read() as connection:
        return packages.of_channel(connection, channel_row(connection, name).id)


@router.get("/{name}/packages/{package}")
def get_package(yard: YardHere, name: str, package: str) -> Annotated[packages.PackageDetail, WIRE]:
    """One package: versions, files, what it needs and who needs it."""
    with yard.store.read() as connection:
        row = channel_row(connection, name)
        found = packages.detail(connection, row.id, name, package)
    if found is None:
        raise NotFound(
            f"there is no package {package} in the channel {name}", code="package_unknown"
        )
    return found


def channel_row(connection: Connection, name: str) -> Any:
    """The channel's row.  Raises NotFound."""
    row = stored.by_name(connection, name)
    if row is None:
        raise NotFound(f"there is no channel {name}", code="channel_unknown")
    return row
