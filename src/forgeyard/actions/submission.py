"""What became of a wish for builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from forgeyard.builds.machine import State
from forgeyard.errors import ForgeyardError, Where


class SubmittedBuild(msgspec.Struct, frozen=True, kw_only=True):
    """A build that was put into the queue."""

    id: str
    feedstock: str
    name: str
    version: str
    build_string: str
    subdir: str
    state: State


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An output that needs no new build."""

    feedstock: str
    name: str
    filename: str
    #: ``published``, ``on_its_way``, ``failed_before`` or ``dependency_failed``.
    code: str
    reason: str
    build_id: str | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A feedstock that could not be evaluated; the others go on."""

    feedstock: str
    code: str
    message: str
    hint: str | None = None
    where: Where | None = None


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish for builds."""

    batch: str
    builds: tuple[SubmittedBuild, ...] = ()
    kept: tuple[Kept, ...] = ()
    problems: tuple[Problem, ...] = ()


def problem_of(feedstock: str, error: ForgeyardError) -> Problem:
    """An error as part of an answer."""
    return Problem(
        feedstock=feedstock,
        code=error.code,
        message=error.message,
        hint=error.hint,
        where=error.where,
    )


def submitted(row: Mapping[str, Any]) -> SubmittedBuild:
    """A new row of ``builds`` as part of an answer."""
    return SubmittedBuild(
        id=row["id"],
        feedstock=row["feedstock_name"],
        name=row["name"],
        version=row["version"],
        build_string=row["build_string"],
        subdir=row["subdir"],
        state=State(row["state"]),
    )
