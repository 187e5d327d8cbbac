"""Attends one attempt from its job to its result.

Whatever happens, the supervisor leaves ``result.json`` behind and gives it to the yard; if
it is itself killed, its sandbox dies with it and the executor calls the attempt lost.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import msgspec

from forgeyard.builds.job import Job, JobResult, Usage
from forgeyard.builds.outcome import Failure, Outcome, Stage
from forgeyard.errors import ForgeyardError
from forgeyard.executors.attempt_dir import AttemptDir
from forgeyard.executors.processes import identify
from forgeyard.executors.removal import remove
from forgeyard.runner.failures import AttemptFailed
from forgeyard.runner.spool import Correspondent, Spool
from forgeyard.runner.yard_client import AttemptEnded, Refused, YardClient

if TYPE_CHECKING:  # slow to import: only once the yard knows that we started
    from forgeyard.runner import stages

#: What was made is shown also when it is not what it should be.
_WITH_ARTIFACTS = frozenset({Outcome.SUCCEEDED, Outcome.NOT_REPRODUCIBLE})

#: How long the last of the log is sent after a cancellation.
_FAREWELL_SECONDS = 10.0
#: A finished attempt does not occupy the machine for ever when its yard is gone for good.
_PATIENCE_SECONDS = 24 * 3600.0


class Supervisor:
    """Holds one attempt together."""

    def __init__(self, attempt: AttemptDir, *, announced: bool = False) -> None:
        self._attempt = attempt
        self._announced = announced
        self._started = time.monotonic()
        self._job: Job = attempt.job()
        self._setup = attempt.setup()
        self._phases: dict[str, float] = {}
        self._phase_began = self._started
        self._interruption: Outcome | None = None
        #: When the result was made; until then the limits rule.
        self._ended = math.inf
        #: Set while an interruption may be raised in the main thread.
        self._raising = False
        self._yard = self._client()
        self._spool = Spool(attempt.log)
        self._correspondent = Correspondent(
            self._client(),
            self._spool,
            heartbeat_seconds=self._setup.heartbeat_seconds,
            store_token=attempt.write_token,
            on_end=self._end_from_afar,
        )

    def run(self) -> int:
        """The exit code is for people; programs read the result."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
            signal.signal(number, self._on_signal)
        signal.setitimer(signal.ITIMER_REAL, self._job.limits.wall_seconds)
        if not self._announced:
            self._correspondent.phase("fetch")
        self._correspondent.start()
        result = self._result()
        self._attempt.write_result(result)
        self._deliver(result)
        remove(self._attempt.work)
        self._clean_cache()
        return 0 if result.outcome.good else 1

    def deliver_again(self) -> int:
        """Send what an earlier supervisor left behind."""
        result = self._attempt.result()
        assert result is not None
        self._correspondent.start()
        self._deliver(result)
        remove(self._attempt.work)
        return 0

    def _clean_cache(self) -> None:
        from forgeyard.runner.package_store import PackageStore

        store = PackageStore(Path(self._setup.cache_dir) / "packages")
        with contextlib.suppress(OSError):  # somebody else's files, or being removed already
            store.clean_now_and_then(self._setup.cache_bytes)

    # ---- the work

    def _result(self) -> JobResult:
        from forgeyard.runner import stages

        made = stages.Made()
        outcome, failure = self._outcome(made)
        # A worker may have been interrupted while something else went wrong.
        if self._interruption is not None and not outcome.good:
            outcome = self._interruption
            failure = None if outcome is not Outcome.TIMED_OUT else failure
        self._close_phase()
        from forgeyard.runner.facts import machine_facts

        watched = made.watched
        return JobResult(
            outcome=outcome,
            failure=failure,
            artifacts=made.artifacts if outcome in _WITH_ARTIFACTS else (),
            locks=made.locks,
            usage=Usage(
                wall_seconds=round(time.monotonic() - self._started, 3),
                cpu_seconds=round(watched.cpu_seconds, 3) if watched else 0.0,
                peak_memory_bytes=watched.peak_memory_bytes if watched else 0,
                peak_disk_bytes=watched.peak_disk_bytes if watched else 0,
            ),
            machine=machine_facts(),
            phases={name: round(seconds, 3) for name, seconds in self._phases.items()},
            warnings=tuple(dict.fromkeys(watched.warnings)) if watched else (),
            log_bytes=self._spool.size,
        )

    def _outcome(self, made: stages.Made) -> tuple[Outcome, Failure | None]:
        from forgeyard.runner import stages

        stage = stages.build if self._job.stage is Stage.BUILD else stages.test
        try:
            with self._interruptible():
                stage(self._context(), made)
        except AttemptFailed as problem:
            return problem.outcome, self._told(problem.failure)
        except AttemptEnded:
            return Outcome.SUPERSEDED, None
        except ForgeyardError as problem:
            failure = Failure(code=problem.code, message=problem.message, hint=problem.hint)
            return Outcome.INFRASTRUCTURE, self._told(failure)
        except Exception as problem:
            self._spool.write(traceback.format_exc(), "error")
            message = f"the runner failed: {type(problem).__name__}: {problem}"
            failure = Failure(code="runner_failed", message=message, phase=self._spool.phase)
            return Outcome.INFRASTRUCTURE, failure
        return Outcome.SUCCEEDED, None

    def _context(self) -> stages.Context:
        from forgeyard.runner import stages

        return stages.Context(
            job=self._job,
            setup=self._setup,
            work=self._attempt.work,
            yard=self._yard,
            spool=self._spool,
            enter=self._enter,
            ends_at=self._started + self._job.limits.wall_seconds,
            interrupted=lambda: self._interruption,
            calm=self._calm,
        )

    def _told(self, failure: Failure | None) -> Failure | None:
        """The failure, also in the log, with the line where it is told."""
        if failure is None or failure.log_line is not None:
            return failure
        self._spool.write(failure.message, "error")
        first = self._spool.lines - failure.message.count("\n")
        if failure.hint:
            self._spool.write(f"hint: {failure.hint}", "error")
        return msgspec.structs.replace(failure, log_line=first)

    def _enter(self, phase: str) -> None:
        if phase != self._spool.phase:
            self._close_phase()
            self._spool.phase = phase
            self._correspondent.phase(phase)

    def _close_phase(self) -> None:
        now = time.monotonic()
        name = self._spool.phase
        self._phases[name] = self._phases.get(name, 0.0) + now - self._phase_began
        self._phase_began = now

    # ---- interruptions

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Inside, an interruption is raised at once wherever the main thread is."""
        self._raising = True
        try:
            self._raise_interruption()
            yield
        finally:
            self._raising = False

    @contextlib.contextmanager
    def _calm(self) -> Iterator[None]:
        """Inside, somebody polls for interruptions, and nothing is raised."""
        self._raising = False
        yield
        self._raising = True

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        outcome = Outcome.TIMED_OUT if number == signal.SIGALRM else Outcome.CANCELLED
        self._interruption = self._interruption or outcome
        if self._raising:
            self._raise_interruption()

    def _raise_interruption(self) -> None:
        if self._interruption is None and self._attempt.cancel_request.exists():
            self._interruption = Outcome.CANCELLED
        if self._interruption is None:
            return
        self._raising = False
        failure = None
        if self._interruption is Outcome.TIMED_OUT:
            limit = self._job.limits.wall_seconds
            failure = Failure(
                code="timed_out",
                message=f"the attempt took longer than {limit} s",
                phase=self._spool.phase,
            )
        raise AttemptFailed(self._interruption, failure)

    def _end_from_afar(self, reason: str) -> None:
        """Called by the correspondent's thread; the main thread notices by the signal."""
        outcome = Outcome.SUPERSEDED if reason == "superseded" else Outcome.CANCELLED
        self._interruption = self._interruption or outcome
        os.kill(os.getpid(), signal.SIGTERM)

    # ---- the yard

    def _client(self) -> YardClient:
        return YardClient(
            lambda: self._attempt.server() or self._job.server,
            self._job.attempt_id,
            self._attempt.token,
            should_stop=self._gives_up,
        )

    def _gives_up(self) -> bool:
        """Whether to wait no longer for a yard that is away.

        A result stays on disk, and the executor of a yard that comes back later sends a
        new supervisor for it.
        """
        return (
            self._interruption is not None
            or not self._attempt.path.is_dir()
            or time.monotonic() > self._ended + _PATIENCE_SECONDS
        )

    def _deliver(self, result: JobResult) -> None:
        """Log first, then the result; for as long as it takes, unless we are told to go."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._spool.close()
        self._ended = time.monotonic()
        wait = 1.0 if self._interruption is None else _FAREWELL_SECONDS
        while not self._correspondent.finish(wait) and not self._gives_up():
            pass
        try:
            self._yard.result(msgspec.json.encode(result))
        except (AttemptEnded, Refused):
            pass  # the yard wants nothing more of this attempt
        except ForgeyardError:
            return  # interrupted while the yard is away: the result stays on disk
        if self._attempt.path.is_dir():
            self._attempt.delivered.touch()


def attend(attempt: AttemptDir, announced: bool) -> int:
    """The whole attempt; ``announced``: the yard knows that it has started."""
    if attempt.claim() is None:  # held until this process ends
        return 0
    me = identify(os.getpid())
    assert me is not None
    attempt.write_supervisor(me)
    if attempt.result() is not None:  # made by one before us that could not deliver it
        return Supervisor(attempt).deliver_again()
    remove(attempt.work)
    attempt.work.mkdir()
    return Supervisor(attempt, announced=announced).run()
