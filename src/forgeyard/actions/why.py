"""Why a build is where it is: why it was made, what it waits for, why it failed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from forgeyard.actions.dispatch import used_by_pool
from forgeyard.actions.yard import Yard
from forgeyard.builds.machine import State
from forgeyard.builds.outcome import Failure
from forgeyard.errors import NotFound
from forgeyard.farm.matching import Work, match
from forgeyard.store import attempts, builds


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A build that has to end first."""

    build_id: str
    name: str
    state: str
    outcome: str | None


class PoolSays(msgspec.Struct, frozen=True, kw_only=True):
    """Why a pool does not take the build now."""

    pool: str
    code: str
    reason: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a build's story."""

    at: datetime
    what: str


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, for people and programs alike."""

    build_id: str
    state: str
    outcome: str | None
    #: One sentence that says it all.
    summary: str
    #: Why the build exists.
    reason: str
    waiting_on: tuple[Waiting, ...] = ()
    pools: tuple[PoolSays, ...] = ()
    #: Builds that go first.
    ahead: int = 0
    not_before: datetime | None = None
    failure: Failure | None = None
    story: tuple[Event, ...] = ()


def why(yard: Yard, build_id: str) -> Why:
    """Explain a build.  Raises NotFound."""
    with yard.store.read() as connection:
        row = builds.get(connection, build_id)
        if row is None:
            raise NotFound(f"there is no build {build_id}", code="build_unknown")
        waiting = _waiting(connection, build_id) if row.state == State.WAITING else ()
        ready = row.state == State.READY
        pools = _pools(connection, yard, row) if ready else ()
        ahead = builds.ahead_of(connection, row) if ready else 0
        story = _story(connection, row)
    held = datetime.fromtimestamp(row.not_before, row.created_at.tzinfo) if row.not_before else None
    return Why(
        build_id=build_id,
        state=row.state,
        outcome=row.outcome,
        summary=_summary(row, waiting, pools, ahead, held),
        reason=row.reason_text,
        waiting_on=waiting,
        pools=pools,
        ahead=ahead,
        not_before=held,
        failure=row.failure,
        story=story,
    )


def _waiting(connection: Connection, build_id: str) -> tuple[Waiting, ...]:
    found = (
        builds.get(connection, n) for n in sorted(builds.open_dependencies(connection, build_id))
    )
    return tuple(
        Waiting(build_id=row.id, name=row.name, state=row.state, outcome=row.outcome)
        for row in found
        if row is not None
    )


def _pools(connection: Connection, yard: Yard, row: Any) -> tuple[PoolSays, ...]:
    """Ask the pools now, as the dispatcher would."""
    work = Work(
        build_id=row.id,
        feedstock=row.feedstock_name,
        platform=row.build_platform,
        resources=row.resources,
    )
    _, refusals = match([work], yard.pools(), used_by_pool(connection))
    return tuple(PoolSays(pool=r.pool, code=r.code, reason=r.reason) for r in refusals)


def _story(connection: Connection, row: Any) -> tuple[Event, ...]:
    events = [Event(at=row.created_at, what=f"asked for by {row.submitted_by}: {row.reason_text}")]
    if row.ready_at and row.ready_at != row.created_at:
        events.append(Event(at=row.ready_at, what="everything it waited for is done"))
    for attempt in attempts.of_build(connection, row.id):
        title = f"attempt {attempt.number} ({attempt.stage} on {attempt.pool})"
        events.append(Event(at=attempt.created_at, what=f"{title} was handed over"))
        if attempt.started_at:
            events.append(Event(at=attempt.started_at, what=f"{title} started"))
        if attempt.finished_at:
            said = f": {attempt.failure.message}" if attempt.failure else ""
            events.append(
                Event(at=attempt.finished_at, what=f"{title} ended as {attempt.outcome}{said}")
            )
    if row.finished_at:
        events.append(Event(at=row.finished_at, what=f"the build ended as {row.outcome}"))
    return tuple(sorted(events, key=lambda event: event.at))


def _summary(
    row: Any,
    waiting: tuple[Waiting, ...],
    pools: tuple[PoolSays, ...],
    ahead: int,
    held: datetime | None,
) -> str:
    state = row.state
    failure: Failure | None = row.failure
    if state == State.DONE:
        outcome = str(row.outcome).replace("_", " ")
        return f"{outcome}: {failure.message}" if failure else outcome
    if state == State.RUNNING:
        return f"running its {row.step} step"
    if waiting:
        return "waits for " + ", ".join(f"{w.name} ({w.state})" for w in waiting)
    if held is not None:
        cause = f" after: {failure.message}" if failure else ""
        return f"is tried again at {held:%H:%M:%S} UTC{cause}"
    if pools:
        said = "; ".join(f"{p.pool} {p.reason}" for p in pools)
        return f"waits for a slot, {ahead} go first: {said}"
    return "is about to start"
