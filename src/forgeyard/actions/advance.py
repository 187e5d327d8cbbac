"""Carry an event into a build and everything that follows from it, in one transaction."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from forgeyard.actions.journalling import write_journal
from forgeyard.actions.members import SYSTEM
from forgeyard.builds.machine import (
    BuildState,
    DependencyDone,
    EndAttempt,
    Event,
    Instruction,
    Publish,
    State,
    Step,
    TellDependents,
    step,
)
from forgeyard.errors import NotFound
from forgeyard.governance.actor import Actor
from forgeyard.store import attempts, builds

#: More seconds than any chain of builds takes.
_BEFORE_ALL = 1e9


def advance(
    connection: Connection, build_id: str, event: Event, now: datetime, actor: Actor = SYSTEM
) -> BuildState:
    """Apply an event to a build, then what it means for those that wait for it."""
    first: BuildState | None = None
    todo: deque[tuple[str, Event]] = deque([(build_id, event)])
    while todo:
        here, happened = todo.popleft()
        row = builds.get(connection, here)
        if row is None:
            raise NotFound(f"there is no build {here}", code="build_unknown")
        before = builds.state_of(connection, row)
        after, instructions = step(before, happened, now.timestamp())
        if after != before:
            _store(connection, row, before, after, now, actor)
        for instruction in instructions:
            todo.extend(_carry_out(connection, row, instruction))
        first = first or after
    assert first is not None
    return first


def _store(
    connection: Connection,
    row: Any,
    before: BuildState,
    after: BuildState,
    now: datetime,
    actor: Actor,
) -> None:
    values: dict[str, Any] = {
        "state": after.state.value,
        "step": after.step.value,
        "outcome": after.outcome.value if after.outcome else None,
        "attempt_id": after.attempt,
        "tries": after.tries,
        "not_before": after.not_before,
        "failure": after.failure,
        "resources": msgspec.structs.replace(row.resources, memory_bytes=after.memory_bytes),
    }
    if after.state is State.READY and before.state is State.WAITING:
        values["ready_at"] = now
    if after.step is Step.TEST and before.step is Step.BUILD:
        # What is built waits for nothing but its test, and others wait for it: tests go first.
        values["rank"] = row.rank - _BEFORE_ALL
    if after.state is State.RUNNING and row.started_at is None:
        values["started_at"] = now
    if after.state is State.DONE:
        values["finished_at"] = now
        builds.clear_refusals(connection, [row.id])
    builds.change(connection, row.id, **values)
    for done in before.open_dependencies - after.open_dependencies:
        builds.close_dependency(connection, row.id, done)
    if after.state is State.DONE:
        write_journal(
            connection,
            now,
            actor,
            "build.end",
            f"build:{row.id}",
            output=f"{row.name}-{row.version}-{row.build_string}",
            outcome=values["outcome"],
            code=after.failure.code if after.failure else None,
        )


def _carry_out(
    connection: Connection, row: Any, instruction: Instruction
) -> list[tuple[str, Event]]:
    match instruction:
        case EndAttempt(attempt_id):
            attempts.change(connection, attempt_id, cancel=True)
        case TellDependents(outcome):
            event = DependencyDone(build_id=row.id, name=row.name, outcome=outcome)
            return [(waiting, event) for waiting in builds.waiting_for(connection, row.id)]
        case Publish():
            pass  # the build's step says it; the publisher finds it there
    return []
