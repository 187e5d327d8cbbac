"""Feedstocks: what they make and how their last builds went."""

from __future__ import annotations

import io
import tarfile

import msgspec
import structlog
import zstandard
from fastapi import APIRouter, Request, Response

from forgeyard.actions.yard import Yard
from forgeyard.errors import ForgeyardError, NotFound
from forgeyard.store.reading import feedstocks as reading
from forgeyard.web.authentication import Reader, YardHere
from forgeyard.web.pages.rendering import moving_keys, page
from forgeyard.web.pages.words import variant_words

router = APIRouter(dependencies=[Reader])
log = structlog.get_logger()

_MOST_RECIPE = 2**20


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """Outputs down, variants across."""

    variants: list[str]
    rows: list[tuple[str, list[list[reading.LastBuild]]]]


@router.get("/feedstocks")
def feedstocks(request: Request, yard: YardHere) -> Response:
    """All of them, with their health."""
    with yard.store.read() as connection:
        found = reading.every(connection)
    return page(request, "feedstocks.html", feedstocks=found)


@router.get("/feedstocks/{name}")
def feedstock(request: Request, yard: YardHere, name: str) -> Response:
    """One of them."""
    with yard.store.read() as connection:
        found = reading.detail(connection, name)
    if found is None:
        raise NotFound(
            f"There is no feedstock {name}",
            code="feedstock_unknown",
            hint="Add one with: forgeyard feedstock add PATH",
        )
    return page(
        request,
        "feedstock.html",
        feedstock=found,
        matrix=_matrix(found, moving_keys(request)),
        recipe=_recipe(yard, found),
    )


def _matrix(found: reading.FeedstockDetail, moving: frozenset[str] | None) -> Matrix:
    variants = sorted({variant_words(build.variant, moving) for build in found.builds})
    rows = [
        (
            output,
            [
                [
                    build
                    for build in found.builds
                    if build.name == output and variant_words(build.variant, moving) == variant
                ]
                for variant in variants
            ],
        )
        for output in sorted({*found.outputs, *(build.name for build in found.builds)})
    ]
    return Matrix(variants=variants, rows=rows)


def _recipe(yard: Yard, found: reading.FeedstockDetail) -> str | None:
    """The recipe's text, out of the feedstock's archive."""
    try:
        data = yard.objects.get(found.digest)
        with (
            zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)) as plain,
            tarfile.open(fileobj=plain, mode="r|") as archive,
        ):
            for member in archive:
                if member.isfile() and member.name.removeprefix("./") == found.recipe_path:
                    file = archive.extractfile(member)
                    assert file is not None
                    return file.read(_MOST_RECIPE).decode(errors="replace")
    except (ForgeyardError, tarfile.TarError, zstandard.ZstdError) as error:
        log.warning("web.recipe", feedstock=found.name, error=str(error))
    return None
