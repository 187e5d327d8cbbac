"""Builds as pages and the API show them: state, progress, time left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select

from forgeyard.builds.forecast import Ahead, Span, forecast
from forgeyard.builds.job import JobResult, Usage
from forgeyard.builds.machine import State, Step
from forgeyard.builds.outcome import GOOD, Failure, Stage
from forgeyard.farm.pool import Resources
from forgeyard.recipes.rendered import Requirements
from forgeyard.recipes.source import Source
from forgeyard.store.builds import all_durations
from forgeyard.store.tables import artifacts, attempts, build_dependencies, builds, refusals

#: What a stage is thought to take before one has been measured.
UNKNOWN_SECONDS: Mapping[str, float] = {Stage.BUILD.value: 30.0, Stage.TEST.value: 3.0}
#: Longer queues are estimated as a whole.
_LONGEST_FORECAST = 3000

Durations = Mapping[tuple[str, str, str], float]


class BuildView(msgspec.Struct, frozen=True, kw_only=True):
    """A build in a list."""

    id: str
    batch: str
    feedstock: str
    name: str
    version: str
    build_string: str
    subdir: str
    filename: str
    #: The variant keys that matter to this output.
    variant: dict[str, Any]
    #: ``waiting``, ``ready``, ``running`` or ``done``.
    state: str
    #: ``build``, ``test`` or ``publish``.
    step: str
    outcome: str | None
    #: ``fetch``, ``solve``, ``build``… of the running attempt.
    phase: str | None
    failure: Failure | None
    reason: str
    reason_text: str
    priority: float
    submitted_by: str
    created_at: datetime
    ready_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    #: Seconds that it took, or has taken so far; None before it starts.
    seconds: float | None
    #: Share of the expected work that is done, 0 to 1; None before it starts.
    progress: float | None
    #: Seconds until it is done, its turn in the queue included; None when it is done.
    seconds_left: float | None
    #: Seconds until it starts; None when it has started.
    seconds_to_start: float | None


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One try at one stage."""

    id: str
    stage: str
    number: int
    pool: str
    state: str
    outcome: str | None
    failure: Failure | None
    phase: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    #: Seconds that it took; None while it runs.
    seconds: float | None
    log_bytes: int
    usage: Usage | None
    machine: dict[str, str]
    #: Phase → seconds.
    phases: dict[str, float]
    warnings: tuple[str, ...]


class Linked(msgspec.Struct, frozen=True, kw_only=True):
    """A build that another waits for, or that waits for it."""

    id: str
    name: str
    version: str
    state: str
    outcome: str | None


class MadeFile(msgspec.Struct, frozen=True, kw_only=True):
    """A package file that a build made."""

    filename: str
    subdir: str
    sha256: str
    size: int


class BuildDetail(BuildView, frozen=True, kw_only=True):
    """All about a build."""

    feedstock_digest: str
    feedstock_commit: str | None
    recipe_path: str
    input_key: str
    build_platform: str
    target_platform: str
    requirements: Requirements
    sources: tuple[Source, ...]
    resources: Resources
    tries: int
    not_before: float | None
    attempts: tuple[AttemptView, ...]
    needs: tuple[Linked, ...]
    needed_by: tuple[Linked, ...]
    artifacts: tuple[MadeFile, ...]


class BatchView(msgspec.Struct, frozen=True, kw_only=True):
    """Builds that were asked for together."""

    id: str
    total: int
    #: State, or outcome of those that are done → how many.
    counts: dict[str, int]
    done: int
    succeeded: int
    failed: int
    #: Share of the expected work that is done, 0 to 100.
    percent: float
    #: None when all is done.
    seconds_left: float | None


def some(
    connection: Connection,
    now: datetime,
    slots: int,
    *,
    states: Sequence[str] = (),
    batch: str | None = None,
    feedstock: str | None = None,
    bad_only: bool = False,
    limit: int = 100,
) -> list[BuildView]:
    """Builds, the newest first."""
    query = select(builds).order_by(builds.c.created_at.desc(), builds.c.id.desc()).limit(limit)
    known = {state.value for state in State}
    plain = [s for s in states if s in known]
    outcomes = [s for s in states if s not in known]
    if states:
        query = query.where(builds.c.state.in_(plain) | builds.c.outcome.in_(outcomes))
    if batch is not None:
        query = query.where(builds.c.batch == batch)
    if feedstock is not None:
        query = query.where(builds.c.feedstock_name == feedstock)
    if bad_only:
        query = query.where(builds.c.outcome.not_in([outcome.value for outcome in GOOD]))
    return views(connection, list(connection.execute(query)), now, slots)


def running(connection: Connection, now: datetime, slots: int) -> list[BuildView]:
    """What runs, the longest first."""
    rows = connection.execute(
        select(builds).where(builds.c.state == State.RUNNING.value).order_by(builds.c.started_at)
    )
    return views(connection, list(rows), now, slots)


def queued(connection: Connection, now: datetime, slots: int, limit: int) -> list[BuildView]:
    """What has not started: what is ready in the order of its turn, then what waits."""
    found: list[Row[Any]] = []
    for state in (State.READY, State.WAITING):
        found += connection.execute(
            select(builds)
            .where(builds.c.state == state.value)
            .order_by(builds.c.priority.desc(), builds.c.id)
            .limit(limit - len(found))
        )
    return views(connection, found, now, slots)


def failed_last(connection: Connection, now: datetime, limit: int = 20) -> list[BuildView]:
    """Outputs whose newest build went wrong by itself, not by what it needs."""
    newest = (
        select(func.max(builds.c.id))
        .where(builds.c.state == State.DONE.value)
        .group_by(builds.c.name, builds.c.subdir, builds.c.used_variant)
    )
    rows = connection.execute(
        select(builds)
        .where(
            builds.c.id.in_(newest),
            builds.c.outcome.not_in(
                [*(good.value for good in GOOD), "dependency_failed", "cancelled", "superseded"]
            ),
        )
        .order_by(builds.c.finished_at.desc())
        .limit(limit)
    )
    return views(connection, list(rows), now, 1)


def detail(connection: Connection, build_id: str, now: datetime, slots: int) -> BuildDetail | None:
    """One build; None when there is none of that id."""
    row = connection.execute(select(builds).where(builds.c.id == build_id)).one_or_none()
    if row is None:
        return None
    tried = connection.execute(
        select(attempts).where(attempts.c.build_id == build_id).order_by(attempts.c.number)
    )
    return BuildDetail(
        **msgspec.structs.asdict(views(connection, [row], now, slots)[0]),
        feedstock_digest=row.feedstock_digest,
        feedstock_commit=row.feedstock_commit,
        recipe_path=row.recipe_path,
        input_key=row.input_key,
        build_platform=row.build_platform,
        target_platform=row.target_platform,
        requirements=row.requirements,
        sources=row.sources,
        resources=row.resources,
        tries=row.tries,
        not_before=row.not_before,
        attempts=tuple(_attempt(attempt) for attempt in tried),
        needs=_linked(
            connection, build_dependencies.c.needs_id, build_dependencies.c.build_id, build_id
        ),
        needed_by=_linked(
            connection, build_dependencies.c.build_id, build_dependencies.c.needs_id, build_id
        ),
        artifacts=_made(connection, build_id),
    )


def batch(connection: Connection, batch_id: str, now: datetime, slots: int) -> BatchView | None:
    """Builds that were asked for together; None when there are none."""
    rows = list(connection.execute(select(builds).where(builds.c.batch == batch_id)))
    if not rows:
        return None
    shown = views(connection, rows, now, slots)
    measured = all_durations(connection)
    counts: dict[str, int] = {}
    for view in shown:
        key = view.outcome or view.state
        counts[key] = counts.get(key, 0) + 1
    ended = [view for view in shown if view.state == State.DONE]
    good = sum(1 for view in ended if view.outcome in GOOD)
    weights = [expected(measured, row) for row in rows]
    parts = [1.0 if v.state == State.DONE else v.progress or 0.0 for v in shown]
    left = [view.seconds_left for view in shown if view.seconds_left is not None]
    return BatchView(
        id=batch_id,
        total=len(rows),
        counts=counts,
        done=len(ended),
        succeeded=good,
        failed=len(ended) - good,
        percent=round(
            100 * sum(w * p for w, p in zip(weights, parts, strict=True)) / (sum(weights) or 1), 1
        ),
        seconds_left=max(left) if left else _whole(weights, shown, slots),
    )


def _whole(weights: Sequence[float], shown: Sequence[BuildView], slots: int) -> float | None:
    """An estimate for queues that are too long to be played through."""
    open_ = [w for w, v in zip(weights, shown, strict=True) if v.state != State.DONE]
    return sum(open_) / slots if open_ else None


def expected(measured: Durations, row: Row[Any]) -> float:
    """Seconds that a build takes, by what earlier ones took."""
    return sum(_stage_seconds(measured, row, stage) for stage in ("build", "test"))


def views(
    connection: Connection, rows: Iterable[Row[Any]], now: datetime, slots: int
) -> list[BuildView]:
    """Rows of ``builds`` with progress and time left."""
    rows = list(rows)
    if not rows:
        return []
    measured = all_durations(connection)
    current = _current_attempts(connection, rows)
    spans: dict[str, Span] = {}
    if any(row.state != State.DONE.value for row in rows):
        spans = _forecast(connection, measured, now, slots)
    return [
        _view(row, measured, current.get(row.attempt_id), spans.get(row.id), now) for row in rows
    ]


def _forecast(
    connection: Connection, measured: Durations, now: datetime, slots: int
) -> dict[str, Span]:
    wanted = (
        select(
            builds.c.id,
            builds.c.name,
            builds.c.target_platform,
            builds.c.step,
            builds.c.state,
            builds.c.priority,
            builds.c.attempt_id,
        )
        .where(builds.c.state != State.DONE.value, builds.c.refused.is_(False))
        .order_by(builds.c.state.desc(), builds.c.priority.desc())
        .limit(_LONGEST_FORECAST + 1)
    )
    rows: list[Row[Any]] = list(connection.execute(wanted))
    if len(rows) > _LONGEST_FORECAST:
        return {}
    needs: dict[str, list[str]] = {}
    for edge in connection.execute(
        select(build_dependencies.c.build_id, build_dependencies.c.needs_id).where(
            build_dependencies.c.open
        )
    ):
        needs.setdefault(edge.build_id, []).append(edge.needs_id)
    current = _current_attempts(connection, rows)
    ahead = [
        Ahead(
            id=row.id,
            seconds=_left(row, measured, current.get(row.attempt_id), now),
            priority=row.priority,
            running=row.state == State.RUNNING.value,
            needs=tuple(needs.get(row.id, ())),
        )
        for row in rows
    ]
    return forecast(ahead, max(slots, 1))


def _current_attempts(connection: Connection, rows: Iterable[Row[Any]]) -> dict[str, Row[Any]]:
    ids = [row.attempt_id for row in rows if row.attempt_id]
    found: dict[str, Row[Any]] = {}
    for start in range(0, len(ids), 500):
        some_ = connection.execute(
            select(
                attempts.c.id,
                attempts.c.stage,
                attempts.c.phase,
                attempts.c.created_at,
                attempts.c.started_at,
            ).where(attempts.c.id.in_(ids[start : start + 500]))
        )
        found.update({row.id: row for row in some_})
    return found


def _view(
    row: Row[Any],
    measured: Durations,
    attempt: Row[Any] | None,
    span: Span | None,
    now: datetime,
) -> BuildView:
    is_running = row.state == State.RUNNING.value
    progress = None
    if is_running:
        whole = expected(measured, row)
        left = _left(row, measured, attempt, now)
        # It is not done before it is done, however long it takes.
        progress = min(max(1 - left / whole, 0.02), 0.98) if whole else 0.5
    return BuildView(
        id=row.id,
        batch=row.batch,
        feedstock=row.feedstock_name,
        name=row.name,
        version=row.version,
        build_string=row.build_string,
        subdir=row.subdir,
        filename=f"{row.name}-{row.version}-{row.build_string}.conda",
        variant=row.used_variant,
        state=row.state,
        step=row.step,
        outcome=row.outcome,
        phase=attempt.phase if attempt is not None and is_running else None,
        failure=row.failure,
        reason=row.reason,
        reason_text=row.reason_text,
        priority=row.priority,
        submitted_by=row.submitted_by,
        created_at=row.created_at,
        ready_at=row.ready_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        seconds=_between(row.started_at, row.finished_at or now),
        progress=progress,
        seconds_left=span.end if span else None,
        seconds_to_start=span.start if span and not is_running else None,
    )


def _left(row: Row[Any], measured: Durations, attempt: Row[Any] | None, now: datetime) -> float:
    """Seconds of work that are left of a build."""
    steps = {Step.BUILD.value: ("build", "test"), Step.TEST.value: ("test",)}
    stages = steps.get(row.step, ())
    seconds = [_stage_seconds(measured, row, stage) for stage in stages]
    if seconds and attempt is not None:
        since = (now - (attempt.started_at or attempt.created_at)).total_seconds()
        # The longer one is overdue, the longer it is thought to go on.
        overdue = max(since - 0.95 * seconds[0], 0.0)
        seconds[0] = max(seconds[0] - since, 0.05 * seconds[0] + 0.2 * overdue)
    return sum(seconds)


def _stage_seconds(measured: Durations, row: Row[Any], stage: str) -> float:
    return measured.get((row.name, row.target_platform, stage), UNKNOWN_SECONDS[stage])


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start is not None and end is not None else None


def _attempt(row: Row[Any]) -> AttemptView:
    result: JobResult | None = row.result
    return AttemptView(
        id=row.id,
        stage=row.stage,
        number=row.number,
        pool=row.pool,
        state=row.state,
        outcome=row.outcome,
        failure=row.failure,
        phase=row.phase,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        seconds=_between(row.started_at or row.created_at, row.finished_at),
        log_bytes=row.log_bytes,
        usage=result.usage if result else None,
        machine=result.machine if result else {},
        phases=result.phases if result else {},
        warnings=result.warnings if result else (),
    )


def _linked(connection: Connection, shown: Any, fixed: Any, build_id: str) -> tuple[Linked, ...]:
    rows = connection.execute(
        select(builds.c.id, builds.c.name, builds.c.version, builds.c.state, builds.c.outcome)
        .join(build_dependencies, shown == builds.c.id)
        .where(fixed == build_id)
        .order_by(builds.c.name, builds.c.id)
    )
    return tuple(Linked(**row._mapping) for row in rows)


def _made(connection: Connection, build_id: str) -> tuple[MadeFile, ...]:
    rows = connection.execute(
        select(
            artifacts.c.filename, artifacts.c.subdir, artifacts.c.sha256, artifacts.c.size
        ).where(artifacts.c.build_id == build_id)
    )
    return tuple(MadeFile(**row._mapping) for row in rows)


def open_needs(connection: Connection, ids: Sequence[str]) -> dict[str, list[Linked]]:
    """Build → those that it still waits for."""
    found: dict[str, list[Linked]] = {}
    for start in range(0, len(ids), 500):
        rows = connection.execute(
            select(
                build_dependencies.c.build_id.label("waits"),
                builds.c.id,
                builds.c.name,
                builds.c.version,
                builds.c.state,
                builds.c.outcome,
            )
            .join(builds, builds.c.id == build_dependencies.c.needs_id)
            .where(
                build_dependencies.c.open,
                build_dependencies.c.build_id.in_(list(ids[start : start + 500])),
            )
            .order_by(builds.c.name)
        )
        for row in rows:
            found.setdefault(row.waits, []).append(
                Linked(
                    id=row.id,
                    name=row.name,
                    version=row.version,
                    state=row.state,
                    outcome=row.outcome,
                )
            )
    return found


def refused(connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """Build → what the pools said that do not take it."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(ids), 500):
        rows = connection.execute(
            select(refusals).where(refusals.c.build_id.in_(list(ids[start : start + 500])))
        )
        for row in rows:
            found.setdefault(row.build_id, []).append(f"{row.pool} {row.reason}")
    return found
