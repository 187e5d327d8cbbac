"""Which candidates have to be built, and why the others need not be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from forgeyard.actions.candidates import Candidate
from forgeyard.actions.submission import Kept
from forgeyard.actions.yard import Yard
from forgeyard.builds.machine import State
from forgeyard.builds.ordering import Wanted, spec_name
from forgeyard.builds.outcome import CACHED, Outcome
from forgeyard.store import builds, channels


def sort_out(
    connection: Connection, yard: Yard, candidates: Sequence[Candidate], *, force: bool
) -> tuple[list[Candidate], list[Kept]]:
    """Split into what has to be built and what need not be."""
    channel = channels.by_name(connection, yard.settings.yard.channel)
    known = builds.latest_by_key(connection, [c.key for c in candidates])
    fresh: list[Candidate] = []
    kept: list[tuple[Candidate, Kept]] = []
    for candidate in candidates:
        before = known.get(candidate.key)
        kept_as = _need_not(connection, candidate, before, channel, force=force)
        if kept_as is None:
            fresh.append(candidate)
        else:
            kept.append((candidate, kept_as))
    while again := [pair for pair in kept if _worth_another_try(pair, fresh)]:
        fresh += [candidate for candidate, _ in again]
        kept = [pair for pair in kept if pair not in again]
    return fresh, [kept_as for _, kept_as in kept]


def _worth_another_try(pair: tuple[Candidate, Kept], fresh: Sequence[Candidate]) -> bool:
    """A failure says nothing any more once something that it needs is built anew."""
    candidate, kept_as = pair
    return kept_as.code == "failed_before" and not needed_names([candidate]).isdisjoint(
        c.output.name for c in fresh
    )


def needed_names(items: Iterable[Candidate | Wanted]) -> set[str]:
    """Names of all packages that these ask for."""
    return {
        spec_name(spec)
        for item in items
        for specs in msgspec.structs.astuple(item.output.requirements)
        for spec in specs
    }


def _need_not(
    connection: Connection, candidate: Candidate, before: Any, channel: Any, *, force: bool
) -> Kept | None:
    """Why a candidate needs no build, if so."""

    def keep(code: str, reason: str) -> Kept:
        return Kept(
            feedstock=candidate.feedstock.name,
            name=candidate.output.name,
            filename=candidate.output.filename,
            code=code,
            reason=reason,
            build_id=before.id,
        )

    if before is None:
        return None
    if before.state != State.DONE:
        return keep("on_its_way", f"{before.id} is building it already")
    outcome = Outcome(before.outcome)
    if force or outcome not in CACHED:
        return None
    if before.failure is not None and before.failure.code == "unsolvable":
        return None  # the channel decides that, not the recipe, and channels change
    if not outcome.good:
        if builds.succeeded_since(connection, sorted(needed_names([candidate])), before):
            return None  # it may find other packages now
        return keep(
            "failed_before",
            f"{before.id} ended as {outcome.value} with the same inputs; "
            "change the recipe, or use --force",
        )
    published = channel is not None and channels.file(
        connection, channel.id, candidate.output.subdir, candidate.output.filename
    )
    return keep("published", "published, and its inputs are the same") if published else None
