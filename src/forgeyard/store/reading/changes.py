"""What has changed since somebody looked: asked once for all who listen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import Connection, func, select

from forgeyard.builds.machine import State
from forgeyard.store.tables import attempts, builds, publications


class BuildNow(msgspec.Struct, frozen=True, kw_only=True):
    """A build, as far as it may change."""

    id: str
    name: str
    version: str
    build_string: str
    state: str
    step: str
    outcome: str | None
    attempt: str | None
    #: ``fetch``, ``solve``, ``build``… of the running attempt.
    phase: str | None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in one look."""

    #: Those that run, that did so at the look before, or that somebody watches.
    builds: dict[str, BuildNow]
    #: State → how many builds.
    counts: dict[str, int]
    #: Newest publication.
    published: str | None


def look(connection: Connection, watched: Iterable[str], before: Seen | None) -> Seen:
    """One cheap look: the running builds, not the whole queue."""
    earlier = () if before is None else before.builds
    running = (
        connection.execute(select(builds.c.id).where(builds.c.state == State.RUNNING.value))
        .scalars()
        .all()
    )
    wanted = {*running, *watched, *_still_open(before, earlier)}
    return Seen(
        builds=_builds(connection, sorted(wanted)),
        counts=_counts(connection, before.counts if before else None),
        published=connection.execute(select(func.max(publications.c.id))).scalar_one(),
    )


def counts(connection: Connection) -> dict[str, int]:
    """State → how many builds are in it; those that are done by their outcome."""
    return _counts(connection, None)


def _counts(connection: Connection, before: Mapping[str, int] | None) -> dict[str, int]:
    """By state from an index alone; outcomes are counted anew only when one was added."""
    found = {state.value: 0 for state in State}
    for row in connection.execute(
        select(builds.c.state, func.count().label("many")).group_by(builds.c.state)
    ):
        found[row.state] = row.many
    done = found.pop(State.DONE.value)
    states = set(found)
    if before is not None and done == sum(n for key, n in before.items() if key not in states):
        return found | {key: n for key, n in before.items() if key not in states}
    if done:
        rows = connection.execute(
            select(builds.c.outcome, func.count().label("many"))
            .where(builds.c.state == State.DONE.value)
            .group_by(builds.c.outcome)
        )
        found |= {row.outcome: row.many for row in rows}
    return found


def _still_open(before: Seen | None, earlier: Iterable[str]) -> list[str]:
    if before is None:
        return []
    return [b for b in earlier if before.builds[b].state != State.DONE.value]


def _builds(connection: Connection, ids: list[str]) -> dict[str, BuildNow]:
    found: dict[str, BuildNow] = {}
    for start in range(0, len(ids), 500):
        rows = connection.execute(
            select(
                builds.c.id,
                builds.c.name,
                builds.c.version,
                builds.c.build_string,
                builds.c.state,
                builds.c.step,
                builds.c.outcome,
                builds.c.attempt_id.label("attempt"),
                attempts.c.phase,
            )
            .select_from(builds.outerjoin(attempts, attempts.c.id == builds.c.attempt_id))
            .where(builds.c.id.in_(ids[start : start + 500]))
        )
        found.update({row.id: BuildNow(**row._mapping) for row in rows})
    return found
