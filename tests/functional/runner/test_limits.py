"""Attempts that do not end by themselves, or take more than they may."""

from __future__ import annotations

import json
import time
from pathlib import Path

import msgspec

from forgeyard.builds.job import JobResult, Limits
from forgeyard.builds.outcome import Outcome
from forgeyard.executors.interface import AttemptStatus
from functional.runner.conftest import LIMITS, Bench


def script(*lines: str) -> str:
    told = "\n".join(f"    - {json.dumps(line)}" for line in lines)
    return (
        'package: {name: demo, version: "1.0"}\n'
        f"build:\n  number: 0\n  script:\n{told}\n"
        "about: {license: MIT, summary: a demo}\n"
    )


def limits(**changes: int) -> Limits:
    return msgspec.structs.replace(LIMITS, **changes)


def marked_processes(mark: str) -> list[int]:
    """Processes of the whole machine that have the mark in their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def assert_ended(result: JobResult, outcome: Outcome, code: str) -> None:
    assert result.outcome is outcome, result.failure
    assert result.failure is not None
    assert result.failure.code == code
    assert result.failure.log_line is not None
    assert result.artifacts == ()


def test_hangs_silently(bench: Bench) -> None:
    recipe = script("sleep 31.4159")
    result = bench.run(recipe, limits=limits(silence_seconds=1))
    assert_ended(result, Outcome.SILENT, "silent")
    assert marked_processes("31.4159") == []


def test_takes_too_long_while_talking(bench: Bench) -> None:
    recipe = script("while true; do echo still here; sleep 0.1; done")
    job = bench.job(recipe, limits=limits(wall_seconds=2))
    result = bench.run_job(job)
    assert_ended(result, Outcome.TIMED_OUT, "timed_out")
    assert bench.wait(job.attempt_id) is AttemptStatus.TIMEOUT


def test_daemon_dies_with_the_build(bench: Bench) -> None:
    recipe = script(
        "setsid sleep 27.1828 </dev/null >/dev/null 2>&1 & disown -a",
        "mkdir -p $PREFIX/share && echo x > $PREFIX/share/x",
    )
    result = bench.run(recipe)
    assert result.outcome is Outcome.SUCCEEDED, result.failure
    assert marked_processes("27.1828") == []


def test_prints_without_end(bench: Bench) -> None:
    recipe = script("yes forgeyard")
    result = bench.run(recipe, limits=limits(log_bytes=200_000))
    assert_ended(result, Outcome.LOG_LIMIT, "log_limit")
    assert result.log_bytes < 5_000_000


def test_one_file_fills_the_disk(bench: Bench) -> None:
    recipe = script("head -c 100M /dev/zero > big")
    result = bench.run(recipe, limits=limits(disk_bytes=20 * 2**20))
    assert result.outcome is Outcome.DISK_LIMIT, result.failure


def test_many_files_fill_the_disk(bench: Bench) -> None:
    recipe = script(
        'for i in $(seq 1000); do head -c 4M /dev/zero > "f$i"; sleep 0.05; done',
    )
    result = bench.run(recipe, limits=limits(disk_bytes=40 * 2**20))
    assert_ended(result, Outcome.DISK_LIMIT, "disk_limit")
    assert result.usage.peak_disk_bytes > 40 * 2**20


EATER = r"""/usr/bin/perl -e '$x = "y" x 400_000_000; sleep 20'"""


def test_eats_memory(bench: Bench) -> None:
    result = bench.run(script(EATER), limits=limits(memory_bytes=200 * 2**20))
    assert result.outcome is Outcome.OUT_OF_MEMORY, (result.failure, result.usage)
    assert result.usage.peak_memory_bytes > 100 * 2**20


def test_eats_memory_without_control_groups(bench: Bench) -> None:
    bench.executor._control_groups = False  # as for an ordinary user
    result = bench.run(script(EATER), limits=limits(memory_bytes=200 * 2**20))
    assert_ended(result, Outcome.OUT_OF_MEMORY, "out_of_memory")


def test_starts_too_many_processes(bench: Bench) -> None:
    recipe = script("for i in $(seq 300); do sleep 20 & done; wait")
    result = bench.run(recipe, limits=limits(processes=60))
    assert result.outcome is Outcome.FAILED
    assert result.failure is not None
    # The control group refuses the fork; without one the supervisor counts.
    assert result.failure.code in ("process_limit", "script_failed"), result.failure


def test_cancel_while_building(bench: Bench) -> None:
    job = bench.job(script("echo begun", "sleep 16.1803"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    started = time.monotonic()
    bench.executor.cancel(handle)
    bench.executor.cancel(handle)
    assert bench.wait(handle) is AttemptStatus.CANCELLED
    assert time.monotonic() - started < 5
    assert marked_processes("16.1803") == []
    assert bench.yard.results[handle].outcome is Outcome.CANCELLED


def test_cancel_from_the_yard(bench: Bench) -> None:
    job = bench.job(script("echo begun", "sleep 20"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    bench.yard.cancelled.add(handle)
    assert bench.wait(handle) is AttemptStatus.CANCELLED
    assert bench.yard.results[handle].outcome is Outcome.CANCELLED


def test_no_longer_the_current_attempt(bench: Bench) -> None:
    job = bench.job(script("echo begun", "sleep 14.1421"))
    handle = bench.submit(job)
    bench.wait_for_line(handle, "begun")
    bench.yard.gone.add(handle)
    assert bench.wait(handle) is AttemptStatus.CANCELLED
    assert marked_processes("14.1421") == []
    assert handle not in bench.yard.results
