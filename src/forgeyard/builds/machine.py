"""The life of a build: ``step(state, event, now) -> (state, instructions)``.

Pure: no I/O, no clock.  The caller stores the returned state and carries out the
instructions in the same transaction, so that a crash between the two cannot happen.

    waiting ──(last dependency is good)──▶ ready ──(dispatched)──▶ running ──▶ done
       │                                    ▲  │                      │
       └──(a dependency failed)──▶ done     └──┴─(next step, or a retry)

An event that does not concern the present state (a second result of one attempt, a word
from an attempt that was given up) changes nothing: messages may come twice or late.
"""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

import msgspec

from forgeyard.builds.outcome import Failure, Outcome

#: Seconds before the first repeat after an infrastructure failure; then ×3 each time.
RETRY_SECONDS = 60.0
RETRY_FACTOR = 3.0
MOST_TRIES = 5


class State(StrEnum):
    """Where a build is."""

    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    DONE = "done"


class Step(StrEnum):
    """What a build does next, or is doing."""

    BUILD = "build"
    TEST = "test"
    PUBLISH = "publish"


class BuildState(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides what may happen to a build."""

    state: State = State.WAITING
    step: Step = Step.BUILD
    outcome: Outcome | None = None
    #: Builds that have to be done before this one starts.
    open_dependencies: frozenset[str] = frozenset()
    #: The attempt that may act for the build.  Others are fenced off.
    attempt: str | None = None
    #: Tries of the present step that ended in an infrastructure failure.
    tries: int = 0
    #: Not to be dispatched before this instant (epoch seconds).
    not_before: float | None = None
    memory_bytes: int = 2 * 2**30
    failure: Failure | None = None


class DependencyDone(msgspec.Struct, frozen=True, tag=True):
    """A build that this one waits for has ended."""

    build_id: str
    name: str
    outcome: Outcome


class Dispatched(msgspec.Struct, frozen=True, tag=True):
    """An attempt was made and given to an executor."""

    attempt_id: str


class AttemptEnded(msgspec.Struct, frozen=True, tag=True):
    """An attempt said its result, or was found lost."""

    attempt_id: str
    outcome: Outcome
    failure: Failure | None = None
    #: The largest memory that any pool can give, for a repeat after out-of-memory.
    most_memory_bytes: int = 0


class PublishEnded(msgspec.Struct, frozen=True, tag=True):
    """Publishing has ended: ``succeeded``, ``unchanged``, ``failed`` or ``infrastructure``."""

    outcome: Outcome
    failure: Failure | None = None


class CancelAsked(msgspec.Struct, frozen=True, tag=True):
    """Somebody who may wants the build to stop."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Policy does not allow the build anywhere, or a newer one replaces it."""

    outcome: Outcome
    failure: Failure


Event = DependencyDone | Dispatched | AttemptEnded | PublishEnded | CancelAsked | Refused


class EndAttempt(msgspec.Struct, frozen=True, tag=True):
    """The attempt's process tree has to be ended."""

    attempt_id: str


class Publish(msgspec.Struct, frozen=True, tag=True):
    """What the build made has to be published."""


class TellDependents(msgspec.Struct, frozen=True, tag=True):
    """Builds that wait for this one have to hear its outcome."""

    outcome: Outcome


Instruction = EndAttempt | Publish | TellDependents
Moved = tuple[BuildState, tuple[Instruction, ...]]


def step(state: BuildState, event: Event, now: float) -> Moved:
    """What the build becomes and what has to be done about it.  Total and pure."""
    if state.state is State.DONE:
        return state, ()
    match event:
        case DependencyDone():
            return _dependency_done(state, event)
        case Dispatched():
            return _dispatched(state, event)
        case AttemptEnded():
            return _attempt_ended(state, event, now)
        case PublishEnded():
            return _publish_ended(state, event, now)
        case CancelAsked():
            return _end_now(state, Outcome.CANCELLED, None)
        case Refused():
            return _end_now(state, event.outcome, event.failure)
        case _:
            assert_never(event)


def initial(open_dependencies: frozenset[str], memory_bytes: int) -> BuildState:
    """A build that was just asked for."""
    return BuildState(
        state=State.WAITING if open_dependencies else State.READY,
        open_dependencies=open_dependencies,
        memory_bytes=memory_bytes,
    )


def _dependency_done(state: BuildState, event: DependencyDone) -> Moved:
    if state.state is not State.WAITING or event.build_id not in state.open_dependencies:
        return state, ()
    if not event.outcome.good:
        failure = Failure(
            code="dependency_failed",
            message=f"{event.name} ({event.build_id}) ended as {event.outcome.value}",
            hint=f"Repair {event.name} and build it again; this build then starts by itself "
            "when it is asked for again.",
        )
        return _end_now(state, Outcome.DEPENDENCY_FAILED, failure)
    still = state.open_dependencies - {event.build_id}
    became = State.WAITING if still else State.READY
    return msgspec.structs.replace(state, open_dependencies=still, state=became), ()


def _dispatched(state: BuildState, event: Dispatched) -> Moved:
    if state.state is not State.READY:
        return state, (EndAttempt(event.attempt_id),)
    return (
        msgspec.structs.replace(
            state, state=State.RUNNING, attempt=event.attempt_id, not_before=None
        ),
        (),
    )


def _attempt_ended(state: BuildState, event: AttemptEnded, now: float) -> Moved:
    if state.attempt != event.attempt_id or state.state is not State.RUNNING:
        return state, ()
    match event.outcome:
        case Outcome.SUCCEEDED:
            return _next_step(state)
        case Outcome.INFRASTRUCTURE:
            return _retry(state, event.failure, now)
        case Outcome.OUT_OF_MEMORY if 2 * state.memory_bytes <= event.most_memory_bytes:
            return (
                msgspec.structs.replace(
                    state,
                    state=State.READY,
                    attempt=None,
                    memory_bytes=2 * state.memory_bytes,
                    failure=event.failure,
                ),
                (),
            )
        case _:
            return _done(state, event.outcome, event.failure)


def _next_step(state: BuildState) -> Moved:
    if state.step is Step.BUILD:
        ahead = msgspec.structs.replace(
            state, state=State.READY, step=Step.TEST, attempt=None, tries=0, failure=None
        )
        return ahead, ()
    # The attempt stays the current one: only it may publish.
    return msgspec.structs.replace(state, step=Step.PUBLISH, tries=0, failure=None), (Publish(),)


def _publish_ended(state: BuildState, event: PublishEnded, now: float) -> Moved:
    if state.state is not State.RUNNING or state.step is not Step.PUBLISH:
        return state, ()
    if event.outcome is Outcome.INFRASTRUCTURE:
        tries = state.tries + 1
        if tries >= MOST_TRIES:
            return _done(state, Outcome.INFRASTRUCTURE, event.failure)
        waiting = msgspec.structs.replace(
            state, tries=tries, failure=event.failure, not_before=now + _pause(tries)
        )
        return waiting, ()
    return _done(state, event.outcome, event.failure)


def _retry(state: BuildState, failure: Failure | None, now: float) -> Moved:
    tries = state.tries + 1
    if tries >= MOST_TRIES:
        return _done(state, Outcome.INFRASTRUCTURE, failure)
    again = msgspec.structs.replace(
        state,
        state=State.READY,
        attempt=None,
        tries=tries,
        not_before=now + _pause(tries),
        failure=failure,
    )
    return again, ()


def _pause(tries: int) -> float:
    return float(RETRY_SECONDS * RETRY_FACTOR ** (tries - 1))


def _end_now(state: BuildState, outcome: Outcome, failure: Failure | None) -> Moved:
    running = (EndAttempt(state.attempt),) if state.attempt else ()
    ended, told = _done(state, outcome, failure)
    return ended, (*running, *told)


def _done(state: BuildState, outcome: Outcome, failure: Failure | None) -> Moved:
    ended = msgspec.structs.replace(
        state,
        state=State.DONE,
        outcome=outcome,
        attempt=None,
        not_before=None,
        failure=None if outcome.good else failure,
    )
    return ended, (TellDependents(outcome),)
