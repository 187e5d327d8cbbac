"""Candidates: the outputs of feedstocks that may have to be built."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from sqlalchemy import Connection

from forgeyard.actions.evaluate import evaluate, pinning_digest
from forgeyard.actions.submission import Problem, problem_of
from forgeyard.actions.yard import Yard
from forgeyard.builds.input_key import input_key
from forgeyard.errors import ForgeyardError
from forgeyard.feedstocks.ownership import newly_owned
from forgeyard.recipes.rendered import RenderedOutput
from forgeyard.rendering.protocol import Answer
from forgeyard.store import feedstocks
from forgeyard.variants.selection import single_variant


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An output that may have to be built."""

    feedstock: Any
    output: RenderedOutput
    variant: dict[str, Any]
    platform: str
    key: str


def evaluate_all(yard: Yard, chosen: Sequence[Any]) -> tuple[list[Candidate], list[Problem]]:
    """What the feedstocks make on the yard's platforms, and what is wrong with some."""
    pinning = pinning_digest(yard)
    work = [(row, platform) for row in chosen for platform in yard.settings.yard.platforms]

    def one(item: tuple[Any, str]) -> Answer | ForgeyardError:
        try:
            return evaluate(yard, item[0], pinning, item[1])
        except ForgeyardError as error:
            return error

    candidates: list[Candidate] = []
    problems: list[Problem] = []
    # Rendering runs in child processes, so a few threads keep the cores busy.
    with ThreadPoolExecutor(max_workers=4) as threads:
        for (row, platform), answer in zip(work, threads.map(one, work), strict=True):
            if isinstance(answer, ForgeyardError):
                problems.append(problem_of(row.name, answer))
            else:
                candidates += _candidates(yard, row, platform, answer)
    unique = {(c.output.subdir, c.output.filename, c.feedstock.name): c for c in candidates}
    return list(unique.values()), problems


def _candidates(yard: Yard, row: Any, platform: str, answer: Answer) -> list[Candidate]:
    return [
        Candidate(
            feedstock=row,
            output=output,
            variant=single_variant(answer.configuration, output.used_variant),
            platform=platform,
            key=input_key(
                feedstock=row.digest,
                filename=output.filename,
                subdir=output.subdir,
                build_platform=platform,
                used_variant=output.used_variant,
                document=output.document,
                channel=yard.settings.yard.channel,
            ),
        )
        for output in answer.outputs
    ]


def settle_ownership(
    connection: Connection, candidates: Sequence[Candidate]
) -> tuple[list[Candidate], list[Problem]]:
    """Give new output names to their feedstocks; a feedstock that claims another's is out."""
    names_of: dict[str, set[str]] = {}
    for candidate in candidates:
        names_of.setdefault(candidate.feedstock.name, set()).add(candidate.output.name)
    owners = feedstocks.owners(connection, {n for names in names_of.values() for n in names})
    ids = {c.feedstock.name: c.feedstock.id for c in candidates}
    problems: list[Problem] = []
    for feedstock, names in names_of.items():
        try:
            fresh = newly_owned(feedstock, names, owners)
        except ForgeyardError as error:
            problems.append(problem_of(feedstock, error))
            continue
        feedstocks.own(connection, ids[feedstock], fresh)
        owners.update(dict.fromkeys(fresh, feedstock))
    bad = {problem.feedstock for problem in problems}
    return [c for c in candidates if c.feedstock.name not in bad], problems
