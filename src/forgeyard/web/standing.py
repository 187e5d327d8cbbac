"""What pages and API say alike of the yard: its slots, its address, its state."""

from __future__ import annotations

import shutil
from datetime import datetime

import msgspec
from fastapi import Request

from forgeyard import __version__
from forgeyard.actions.yard import Yard
from forgeyard.store.reading import changes, overview


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The yard at a glance."""

    name: str
    version: str
    channel: str
    platforms: tuple[str, ...]
    at: datetime
    #: State, or outcome of those that are done → how many builds.
    builds: dict[str, int]
    totals: overview.Totals
    pools: tuple[overview.PoolView, ...]
    disk_free_bytes: int
    disk_total_bytes: int


def slots_of(yard: Yard) -> int:
    """How many builds of the usual size run at once."""
    memory = int(yard.settings.limits.memory_gib * 2**30)
    return max(overview.slots(yard.pools(), 1, memory), 1)


def public_url(yard: Yard, request: Request) -> str:
    """The address that clients use, without a slash at the end."""
    return (yard.settings.server.public_url or str(request.base_url)).rstrip("/")


def status_of(yard: Yard) -> Status:
    """How the yard stands now."""
    disk = shutil.disk_usage(yard.directory)
    with yard.store.read() as connection:
        return Status(
            name=yard.settings.yard.name,
            version=__version__,
            channel=yard.settings.yard.channel,
            platforms=yard.settings.yard.platforms,
            at=yard.now(),
            builds=changes.counts(connection),
            totals=overview.totals(connection),
            pools=tuple(overview.pools(connection, yard.pools())),
            disk_free_bytes=disk.free,
            disk_total_bytes=disk.total,
        )
