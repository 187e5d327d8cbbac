"""Give ready builds to pools, and look after what runs there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from forgeyard.actions.advance import advance
from forgeyard.actions.attempts import TOKEN_LIFETIME, end_attempt, job_of, new_token
from forgeyard.actions.yard import Yard
from forgeyard.builds.machine import Dispatched
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.errors import ForgeyardError
from forgeyard.executors.interface import AttemptSpec, AttemptStatus, Executor
from forgeyard.farm.matching import Offer, Work, match
from forgeyard.farm.pool import NOTHING, Pool, Resources
from forgeyard.store import attempts, builds

#: Looked at in one go; more than any machine has slots.
_QUEUE_WINDOW = 64
#: How long a process may be gone before its result is given up.
_RESULT_GRACE = timedelta(seconds=5)


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that was made and is to be handed to its executor."""

    attempt_id: str
    pool: str
    token: str
    gpus: tuple[int, ...]


def dispatch(yard: Yard, executors: Mapping[str, Executor], server: str) -> int:
    """Start what can start now; returns how many attempts were handed over."""
    pools = yard.pools()
    with yard.store.read() as connection:
        busy = used_by_pool(connection)
        platforms = sorted({pool.platform for pool in pools if _has_room(pool, busy)})
        if not builds.queue(connection, yard.now().timestamp(), 1, platforms):
            return 0
    with yard.store.write() as connection:
        started = _assign(connection, yard, pools, platforms)
    for attempt in started:
        _hand_over(yard, executors[attempt.pool], attempt, server)
    return len(started)


def used_by_pool(connection: Connection) -> dict[str, Resources]:
    """What running attempts occupy."""
    used: dict[str, Resources] = {}
    for row in attempts.alive(connection):
        used[row.pool] = used.get(row.pool, NOTHING) + row.resources
    return used


def _has_room(pool: Pool, busy: Mapping[str, Resources]) -> bool:
    return not (pool.capacity - busy.get(pool.name, NOTHING)).lacking(
        Resources(cpu=1, memory_bytes=0, disk_bytes=0)
    )


def _assign(
    connection: Connection, yard: Yard, pools: list[Pool], platforms: list[str]
) -> list[Started]:
    now = yard.now().timestamp()
    rows = {row.id: row for row in builds.queue(connection, now, _QUEUE_WINDOW, platforms)}
    queue = [
        Work(
            build_id=row.id,
            feedstock=row.feedstock_name,
            platform=row.build_platform,
            resources=row.resources,
        )
        for row in rows.values()
    ]
    offers, refusals = match(queue, pools, used_by_pool(connection))
    _note_refusals(connection, yard, refusals, pools)
    taken = {pool.name: _gpus_in_use(connection, pool.name) for pool in pools}
    return [_start(connection, yard, offer, rows[offer.build_id], taken) for offer in offers]


def _note_refusals(
    connection: Connection, yard: Yard, refusals: list[Any], pools: list[Pool]
) -> None:
    """Store refusals that last; ``busy`` ones pass by themselves and are told when asked."""
    lasting = [r for r in refusals if r.lasting]
    builds.put_refusals(
        connection,
        [
            {
                "build_id": r.build_id,
                "pool": r.pool,
                "code": r.code,
                "reason": r.reason,
                "at": yard.now(),
            }
            for r in lasting
        ],
    )
    count: dict[str, int] = {}
    for refusal in lasting:
        count[refusal.build_id] = count.get(refusal.build_id, 0) + 1
    # Refused by all: out of the queue until the farm changes, so that it cannot clog it.
    builds.mark_refused(connection, [b for b, n in count.items() if n == len(pools)])


def _gpus_in_use(connection: Connection, pool: str) -> set[int]:
    return {gpu for row in attempts.alive(connection) if row.pool == pool for gpu in row.gpus}


def _start(
    connection: Connection, yard: Yard, offer: Offer, row: Any, taken: dict[str, set[int]]
) -> Started:
    attempt_id, now = yard.new_id("a"), yard.now()
    token, digest = new_token(attempt_id)
    free = (n for n in range(1024) if n not in taken[offer.pool])
    gpus = tuple(next(free) for _ in range(row.resources.gpus))
    taken[offer.pool] |= set(gpus)
    attempts.add(
        connection,
        id=attempt_id,
        build_id=offer.build_id,
        stage=row.step,
        number=attempts.count_of_build(connection, offer.build_id) + 1,
        pool=offer.pool,
        resources=row.resources,
        gpus=gpus,
        state="submitting",
        cancel=False,
        token_digest=digest,
        token_expires_at=now + TOKEN_LIFETIME,
        created_at=now,
        log_bytes=0,
    )
    advance(connection, offer.build_id, Dispatched(attempt_id), now)
    builds.clear_refusals(connection, [offer.build_id])
    return Started(attempt_id=attempt_id, pool=offer.pool, token=token, gpus=gpus)


def _hand_over(yard: Yard, executor: Executor, attempt: Started, server: str) -> None:
    job = job_of(yard, attempt.attempt_id, server)
    try:
        handle = executor.submit(AttemptSpec(job=job, token=attempt.token, gpus=attempt.gpus))
    except (ForgeyardError, OSError) as error:
        failure = Failure(
            code="submit_failed",
            message=f"the executor could not start the attempt: {error}",
            hint=getattr(error, "hint", None),
            phase="submit",
        )
        end_attempt(yard, attempt.attempt_id, Outcome.INFRASTRUCTURE, failure)
        return
    with yard.store.write() as connection:
        row = attempts.get(connection, attempt.attempt_id)
        # The runner may have reported already, which sets "running".
        state = "queued" if row and row.state == "submitting" else row.state if row else "queued"
        attempts.change(connection, attempt.attempt_id, handle=handle, state=state)


def look_after(yard: Yard, executors: Mapping[str, Executor]) -> None:
    """Cancel what was asked to stop, and end attempts whose process is gone."""
    with yard.store.read() as connection:
        rows = attempts.alive(connection)
    for pool, executor in executors.items():
        mine = [row for row in rows if row.pool == pool and row.handle]
        for row in (row for row in mine if row.cancel):
            executor.cancel(row.handle)
        statuses = executor.poll([row.handle for row in mine])
        for row in mine:
            _settle(yard, row, statuses.get(row.handle, AttemptStatus.LOST))


def tidy(yard: Yard, executors: Mapping[str, Executor]) -> None:
    """End the attempts that nobody wants any more, and remove what ended ones have left."""
    for executor in executors.values():
        # Asked before the store: an attempt is in the store before its executor hears of it.
        kept = executor.kept()
        with yard.store.read() as connection:
            wanted = {row.id for row in attempts.alive(connection)}
        for attempt_id in kept:
            if attempt_id not in wanted:
                executor.cancel(attempt_id)
                executor.forget(attempt_id)


_gone_since: dict[str, Any] = {}


def _settle(yard: Yard, row: Any, status: AttemptStatus) -> None:
    """End an attempt whose process is gone and whose result does not come."""
    if status in (AttemptStatus.QUEUED, AttemptStatus.RUNNING):
        _gone_since.pop(row.id, None)
        return
    since = _gone_since.setdefault(row.id, yard.now())
    if not row.cancel and yard.now() - since < _RESULT_GRACE:
        return  # its result may be on the way
    _gone_since.pop(row.id, None)
    outcome, failure = _outcome_of(row, status)
    end_attempt(yard, row.id, outcome, failure)


def _outcome_of(row: Any, status: AttemptStatus) -> tuple[Outcome, Failure]:
    if row.cancel or status is AttemptStatus.CANCELLED:
        return Outcome.CANCELLED, Failure(code="cancelled", message="it was asked to stop")
    if status is AttemptStatus.TIMEOUT:
        return Outcome.TIMED_OUT, Failure(code="timed_out", message="its time was over")
    if status is AttemptStatus.OUT_OF_MEMORY:
        return Outcome.OUT_OF_MEMORY, Failure(code="out_of_memory", message="it used too much")
    return Outcome.INFRASTRUCTURE, Failure(
        code="runner_lost",
        message="the runner's process is gone and left no result",
        hint="It is tried again by itself.",
    )


def take_over(yard: Yard, executors: Mapping[str, Executor], server_url: str) -> None:
    """After a restart: find the attempts of the server before this one.

    Each is either adopted with a fresh token and this server's address, or lost and tried
    again.
    """
    with yard.store.read() as connection:
        rows = attempts.alive(connection)
    for row in rows:
        executor = executors.get(row.pool)
        handle = executor.adopt(row.id) if executor else None
        if executor is None or handle is None:
            outcome, failure = _outcome_of(row, AttemptStatus.LOST)
            end_attempt(yard, row.id, outcome, failure)
            continue
        token, digest = new_token(row.id)
        with yard.store.write() as connection:
            attempts.change(
                connection,
                row.id,
                handle=handle,
                state="queued" if row.state == "submitting" else row.state,
                token_digest=digest,
                token_expires_at=yard.now() + TOKEN_LIFETIME,
            )
        executor.renew(handle, token, server_url)
    with yard.store.write() as connection:
        builds.forget_refusals(connection)
