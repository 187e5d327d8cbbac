"""Builds, what they wait for, and the queue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, or_, select, update

from forgeyard.builds.machine import BuildState, State, Step
from forgeyard.builds.outcome import Outcome
from forgeyard.store.tables import build_dependencies, builds, durations, refusals


def get(connection: Connection, build_id: str) -> Row[Any] | None:
    """One build."""
    return connection.execute(select(builds).where(builds.c.id == build_id)).one_or_none()


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """New builds."""
    if rows:
        connection.execute(builds.insert(), list(rows))


def add_dependencies(connection: Connection, pairs: Iterable[tuple[str, str]]) -> None:
    """(build, needed build) pairs that are not done yet."""
    rows = [{"build_id": build, "needs_id": needs, "open": True} for build, needs in pairs]
    if rows:
        connection.execute(build_dependencies.insert(), rows)


def open_dependencies(connection: Connection, build_id: str) -> frozenset[str]:
    """Builds that this one still waits for."""
    return frozenset(
        connection.execute(
            select(build_dependencies.c.needs_id).where(
                build_dependencies.c.build_id == build_id, build_dependencies.c.open
            )
        ).scalars()
    )


def waiting_for(connection: Connection, build_id: str) -> list[str]:
    """Builds that wait for this one."""
    return list(
        connection.execute(
            select(build_dependencies.c.build_id).where(
                build_dependencies.c.needs_id == build_id, build_dependencies.c.open
            )
        ).scalars()
    )


def close_dependency(connection: Connection, build_id: str, needs_id: str) -> None:
    """A build waits for another no longer."""
    connection.execute(
        update(build_dependencies)
        .where(build_dependencies.c.build_id == build_id, build_dependencies.c.needs_id == needs_id)
        .values(open=False)
    )


def state_of(connection: Connection, row: Row[Any]) -> BuildState:
    """The machine's state of a build row."""
    return BuildState(
        state=State(row.state),
        step=Step(row.step),
        outcome=Outcome(row.outcome) if row.outcome else None,
        open_dependencies=open_dependencies(connection, row.id)
        if row.state == State.WAITING
        else frozenset(),
        attempt=row.attempt_id,
        tries=row.tries,
        not_before=row.not_before,
        memory_bytes=row.resources.memory_bytes,
        failure=row.failure,
    )


def change(connection: Connection, build_id: str, **values: Any) -> None:
    """Set columns of a build."""
    connection.execute(update(builds).where(builds.c.id == build_id).values(**values))


def queue(
    connection: Connection, now: float, limit: int, platforms: Sequence[str]
) -> list[Row[Any]]:
    """Builds that may be dispatched now to pools of these platforms, most urgent first."""
    found: list[Row[Any]] = []
    for platform in platforms:
        found += connection.execute(
            select(
                builds.c.id,
                builds.c.feedstock_name,
                builds.c.build_platform,
                builds.c.resources,
                builds.c.step,
                builds.c.rank,
            )
            .where(
                builds.c.build_platform == platform,
                builds.c.state == State.READY.value,
                builds.c.refused.is_(False),
                or_(builds.c.not_before.is_(None), builds.c.not_before <= now),
            )
            .order_by(builds.c.rank, builds.c.id)
            .limit(limit)
        )
    return sorted(found, key=lambda row: (row.rank, row.id))


def to_publish(connection: Connection, now: float) -> list[str]:
    """Builds whose artifacts are tested and not published yet."""
    return list(
        connection.execute(
            select(builds.c.id).where(
                builds.c.state == State.RUNNING.value,
                builds.c.step == Step.PUBLISH.value,
                or_(builds.c.not_before.is_(None), builds.c.not_before <= now),
            )
        ).scalars()
    )


def unfinished_named(connection: Connection, names: Sequence[str]) -> list[Row[Any]]:
    """Builds on their way that make one of these outputs."""
    found: list[Row[Any]] = []
    for start in range(0, len(names), 500):
        found += connection.execute(
            select(builds).where(
                builds.c.name.in_(list(names[start : start + 500])),
                builds.c.state != State.DONE.value,
            )
        )
    return found


def latest_by_key(connection: Connection, keys: Sequence[str]) -> dict[str, Row[Any]]:
    """Input key → its newest build."""
    found: dict[str, Row[Any]] = {}
    for start in range(0, len(keys), 500):
        rows = connection.execute(
            select(builds)
            .where(builds.c.input_key.in_(list(keys[start : start + 500])))
            .order_by(builds.c.created_at)
        )
        found.update({row.input_key: row for row in rows})
    return found


def forget_refusals(connection: Connection) -> None:
    """The farm has changed: every refused build is looked at again."""
    connection.execute(update(builds).where(builds.c.refused).values(refused=False))
    connection.execute(delete(refusals))


def put_refusals(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Replace the stored refusals of the builds in ``rows``."""
    for build_id in {row["build_id"] for row in rows}:
        connection.execute(delete(refusals).where(refusals.c.build_id == build_id))
    if rows:
        connection.execute(refusals.insert(), list(rows))


def clear_refusals(connection: Connection, build_ids: Sequence[str]) -> None:
    """Forget why these were refused: they run now."""
    if build_ids:
        connection.execute(delete(refusals).where(refusals.c.build_id.in_(list(build_ids))))


def mark_refused(connection: Connection, build_ids: Sequence[str]) -> None:
    """Leave these out of the queue until the farm changes."""
    if build_ids:
        connection.execute(
            update(builds).where(builds.c.id == bindparam("b_id")).values(refused=True),
            [{"b_id": build_id} for build_id in build_ids],
        )


def refusals_of(connection: Connection, build_id: str) -> list[Row[Any]]:
    """Why each pool did not take a build when it was last asked."""
    return list(
        connection.execute(
            select(refusals).where(refusals.c.build_id == build_id).order_by(refusals.c.pool)
        )
    )


def all_durations(connection: Connection) -> dict[tuple[str, str, str], float]:
    """(name, platform, stage) → seconds."""
    return {
        (row.name, row.platform, row.stage): row.seconds
        for row in connection.execute(select(durations))
    }


def expect_duration(
    connection: Connection, name: str, platform: str, stage: str, seconds: float
) -> None:
    """Assume a time until one is measured."""
    connection.execute(
        durations.insert().values(
            name=name, platform=platform, stage=stage, seconds=seconds, samples=0
        )
    )


def record_duration(
    connection: Connection, name: str, platform: str, stage: str, seconds: float
) -> None:
    """Fold one more measurement into the running mean."""
    key = (
        durations.c.name == name,
        durations.c.platform == platform,
        durations.c.stage == stage,
    )
    row = connection.execute(select(durations).where(*key)).one_or_none()
    if row is None:
        connection.execute(
            durations.insert().values(
                name=name, platform=platform, stage=stage, seconds=seconds, samples=1
            )
        )
    else:
        mean = row.seconds + (seconds - row.seconds) / 3 if row.samples else seconds
        connection.execute(
            update(durations).where(*key).values(seconds=mean, samples=row.samples + 1)
        )


def latest_of_output(
    connection: Connection, name: str, subdir: str, used_variant: dict[str, Any]
) -> Row[Any] | None:
    """The newest build of an output with the same variant."""
    return connection.execute(
        select(builds)
        .where(
            builds.c.name == name,
            builds.c.subdir == subdir,
            builds.c.used_variant == used_variant,
        )
        .order_by(builds.c.created_at.desc())
        .limit(1)
    ).one_or_none()


def ahead_of(connection: Connection, row: Row[Any]) -> int:
    """How many ready builds are more urgent than this one."""
    return connection.execute(
        select(func.count())
        .select_from(builds)
        .where(
            builds.c.state == State.READY.value,
            builds.c.refused.is_(False),
            builds.c.build_platform == row.build_platform,
            or_(
                builds.c.rank < row.rank,
                (builds.c.rank == row.rank) & (builds.c.id < row.id),
            ),
        )
    ).scalar_one()


def succeeded_since(connection: Connection, names: Sequence[str], build: Row[Any]) -> bool:
    """Whether one of these outputs was built with success after ``build`` had ended."""
    return (
        connection.execute(
            select(builds.c.id)
            .where(
                builds.c.name.in_(list(names)),
                builds.c.outcome == Outcome.SUCCEEDED.value,
                builds.c.finished_at > build.finished_at,
            )
            .limit(1)
        ).scalar_one_or_none()
        is not None
    )
