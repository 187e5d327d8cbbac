"""What crosses between the yard and the rendering child."""

from __future__ import annotations

from typing import Any

import msgspec

from forgeyard.errors import Where
from forgeyard.recipes.rendered import RenderedOutput


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One recipe to render for one platform."""

    folder: str
    recipe_path: str
    pinning_files: tuple[str, ...]
    #: Variant files of the feedstock itself, relative to ``folder``; absent ones are skipped.
    own_variants: tuple[str, ...]
    build_platform: str
    target_platform: str


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe problem as data."""

    code: str
    message: str
    hint: str | None = None
    where: Where | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The wanted outputs, or what is wrong with the recipe."""

    outputs: tuple[RenderedOutput, ...] = ()
    #: The whole variant configuration that was in force.
    configuration: dict[str, list[Any]] = {}
    trouble: Trouble | None = None
