"""Feedstocks."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Body, Response

from forgeyard.actions.feedstocks import Added, add_feedstock, remove_feedstock
from forgeyard.errors import NotFound
from forgeyard.store.reading import feedstocks as reading
from forgeyard.web.authentication import Reader, Writer, YardHere
from forgeyard.web.wire import WIRE

router = APIRouter(prefix="/feedstocks", tags=["feedstocks"])


class FeedstockWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a feedstock, or a folder of them, lies."""

    #: A folder on the yard's machine, or the address of a git repository.
    origin: str


@router.get("", dependencies=[Reader])
def list_feedstocks(yard: YardHere) -> Annotated[list[reading.FeedstockView], WIRE]:
    """All feedstocks with the outcome of their newest builds."""
    with yard.store.read() as connection:
        return reading.every(connection)


@router.post("", status_code=201)
def post_feedstock(
    yard: YardHere, actor: Writer, body: Annotated[FeedstockWish, Body(), WIRE]
) -> Annotated[list[Added], WIRE]:
    """Add feedstocks, or bring them up to date."""
    return add_feedstock(yard, actor, body.origin)


@router.get("/{name}", dependencies=[Reader])
def get_feedstock(yard: YardHere, name: str) -> Annotated[reading.FeedstockDetail, WIRE]:
    """One feedstock with the newest build of each variant."""
    with yard.store.read() as connection:
        found = reading.detail(connection, name)
    if found is None:
        raise NotFound(f"there is no feedstock {name}", code="feedstock_unknown")
    return found


@router.delete("/{name}", status_code=204, response_class=Response)
def delete_feedstock(yard: YardHere, actor: Writer, name: str) -> None:
    """Forget a feedstock; what it published stays."""
    remove_feedstock(yard, actor, name)
