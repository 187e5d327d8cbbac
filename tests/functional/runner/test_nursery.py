"""Starting attempts: forked by the nursery, or as plain processes when there is none."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from forgeyard.builds.outcome import Outcome
from forgeyard.executors.interface import AttemptStatus
from forgeyard.executors.local import LocalExecutor
from functional.runner.conftest import Bench
from functional.runner.test_limits import script


def parent_of(bench: Bench, handle: str) -> str:
    identity = bench.executor._dir(handle).supervisor()
    assert identity is not None
    stat = Path(f"/proc/{identity.pid}/stat").read_text()
    parent = stat.rsplit(")", 1)[1].split()[1]
    return Path(f"/proc/{parent}/cmdline").read_bytes().decode()


def wait_until_forked(bench: Bench) -> str:
    """Submit attempts until the nursery is ready and takes one."""
    for _ in range(40):
        handle = bench.submit(bench.job(script("echo begun", "sleep 20")))
        bench.wait_for_line(handle, "begun")
        if "nursery" in parent_of(bench, handle):
            return handle
        bench.executor.cancel(handle)
        time.sleep(0.1)
    raise AssertionError("the nursery never took an attempt")


def test_attempts_are_forked_and_outlive_the_executor(bench: Bench) -> None:
    handle = wait_until_forked(bench)
    bench.executor.close()
    time.sleep(0.3)
    second = LocalExecutor(bench.root / "runner", nursery=False)
    assert second.poll([handle])[handle] is AttemptStatus.RUNNING
    second.cancel(handle)
    assert bench.wait(handle) is AttemptStatus.CANCELLED


def test_dead_nursery_is_no_matter(bench: Bench) -> None:
    handle = wait_until_forked(bench)
    nursery = next(
        child for child in bench.executor._starter._children if "nursery" in str(child.args)
    )
    os.kill(nursery.pid, signal.SIGKILL)
    nursery.wait()
    assert bench.run(script("exit 3")).outcome is Outcome.FAILED
    assert bench.executor.poll([handle])[handle] is AttemptStatus.RUNNING


def test_second_supervisor_of_an_attempt_steps_back(bench: Bench) -> None:
    job = bench.job(script("echo begun", "sleep 0.7", "exit 1"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    attempt = bench.executor._dir(handle)
    first = attempt.supervisor()
    bench.executor._start(attempt)
    time.sleep(0.4)
    assert attempt.supervisor() == first
    assert bench.wait(handle) is AttemptStatus.FAILED
    begun = [line for line in bench.yard.lines(handle) if line["m"] == "begun"]
    assert len(begun) == 1
