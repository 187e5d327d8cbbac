"""Yards that go away, tokens that change, supervisors that are killed."""

from __future__ import annotations

import os
import shutil
import signal
import time

from forgeyard.builds.outcome import Outcome
from forgeyard.executors import processes
from forgeyard.executors.interface import AttemptStatus
from forgeyard.executors.local import LocalExecutor
from functional.runner.conftest import Bench
from functional.runner.test_limits import marked_processes, script


def test_yard_away_during_the_log_loses_nothing(bench: Bench) -> None:
    job = bench.job(
        script(
            "for i in $(seq 40); do echo line $i; sleep 0.05; done",
            "mkdir -p $PREFIX/share && echo x > $PREFIX/share/x",
        )
    )
    handle = bench.submit(job)
    bench.wait_for_line(handle, "line 5")
    bench.yard.stop()
    time.sleep(1.0)
    bench.yard.start()
    assert bench.wait(handle) is AttemptStatus.SUCCEEDED
    result = bench.yard.results[handle]
    log = bench.yard.logs[handle]
    assert len(log) == result.log_bytes
    told = [line["m"] for line in bench.yard.lines(handle) if line["m"].startswith("line ")]
    assert told == [f"line {number}" for number in range(1, 41)]


def test_yard_away_at_the_end(bench: Bench) -> None:
    job = bench.job(script("echo begun", "sleep 0.5", "exit 1"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    bench.yard.stop()
    time.sleep(1.5)
    assert bench.executor.poll([handle])[handle] is AttemptStatus.RUNNING
    bench.yard.start()
    assert bench.wait(handle) is AttemptStatus.FAILED
    assert bench.yard.results[handle].outcome is Outcome.FAILED


def test_token_is_renewed_by_the_heartbeat(bench: Bench) -> None:
    job = bench.job(script("echo begun", "sleep 1", "exit 1"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    bench.yard.next_token[handle] = "secret-two"
    assert bench.wait(handle) is AttemptStatus.FAILED
    assert bench.yard.tokens[handle] == "secret-two"
    assert handle in bench.yard.results


def test_token_is_renewed_by_the_executor(bench: Bench) -> None:
    job = bench.job(script("echo begun", "sleep 0.5", "exit 1"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    bench.yard.tokens[handle] = "secret-three"  # as after a restart of the yard
    time.sleep(1.0)
    assert handle not in bench.yard.results
    bench.executor.renew(handle, "secret-three", job.server)
    assert bench.wait(handle) is AttemptStatus.FAILED
    assert bench.yard.results[handle].outcome is Outcome.FAILED


def test_killed_supervisor_is_lost_and_its_sandbox_dies(bench: Bench) -> None:
    job = bench.job(script("echo begun", "setsid sleep 17.3205 & sleep 17.3205"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    assert marked_processes("17.3205")
    identity = bench.executor._dir(handle).supervisor()
    assert identity is not None
    os.kill(identity.pid, signal.SIGKILL)
    assert bench.wait(handle) is AttemptStatus.LOST
    bench.wait_for(lambda: marked_processes("17.3205") == [], 5)
    assert handle not in bench.yard.results


def test_another_executor_adopts(bench: Bench) -> None:
    job = bench.job(script("echo begun", "sleep 0.5", "exit 1"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    second = LocalExecutor(bench.root / "runner")
    assert second.adopt("a-unknown") is None
    assert second.adopt(handle) == handle
    assert second.poll([handle, "a-unknown"]) == {
        handle: AttemptStatus.RUNNING,
        "a-unknown": AttemptStatus.LOST,
    }
    assert second.kept() == [handle]
    second.forget(handle)  # it runs: nothing happens
    bench.wait(handle)
    second.forget(handle)
    assert second.adopt(handle) is None


def test_what_an_earlier_server_left_is_found_and_ended(bench: Bench) -> None:
    job = bench.job(script("echo begun", "sleep 22.3606"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    second = LocalExecutor(bench.root / "runner")
    assert second.kept() == [handle]
    second.cancel(handle)
    bench.wait(handle)
    second.forget(handle)
    assert second.kept() == []
    assert marked_processes("22.3606") == []


def test_submitting_twice_runs_once(bench: Bench) -> None:
    job = bench.job(script("echo begun", "exit 1"))
    bench.submit(job)
    bench.submit(job)
    bench.wait(job.attempt_id)
    bench.submit(job)
    fetches = [each for each in bench.yard.requests if each == ("GET", "/feedstock")]
    assert len(fetches) == 1


def test_result_on_disk_is_delivered_by_the_next_supervisor(bench: Bench) -> None:
    job = bench.job(script("echo begun", "sleep 0.3", "exit 1"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    bench.yard.stop()
    attempt = bench.executor._dir(handle)
    bench.wait_for(lambda: attempt.result() is not None)
    identity = attempt.supervisor()
    assert identity is not None
    os.kill(identity.pid, signal.SIGKILL)
    bench.yard.start()
    assert bench.wait(handle) is AttemptStatus.FAILED
    assert bench.yard.results[handle].log_bytes == len(bench.yard.logs[handle])


def test_supervisor_of_a_yard_that_was_removed_goes_away(bench: Bench) -> None:
    job = bench.job(script("echo begun", "sleep 0.3", "exit 1"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    attempt = bench.executor._dir(handle)
    identity = attempt.supervisor()
    assert identity is not None
    bench.yard.stop()
    bench.wait_for(lambda: attempt.result() is not None)
    shutil.rmtree(attempt.path)
    bench.wait_for(lambda: not processes.is_running(identity), 20)
