"""Attempts that go well: what they leave behind at the yard and on the machine."""

from __future__ import annotations

from forgeyard.builds.outcome import Outcome
from functional.runner.conftest import Bench


def test_builds_and_tests_a_recipe(bench: Bench) -> None:
    job = bench.job()
    built = bench.run_job(job)
    assert built.outcome is Outcome.SUCCEEDED, (built.failure, bench.yard.text(job.attempt_id))
    (artifact,) = built.artifacts
    assert bench.yard.has(artifact.sha256)
    assert artifact.filename == f"demo-1.0-{job.build_string}.conda"
    assert [each["phase"] for each in bench.yard.phases[job.attempt_id]] == [
        "fetch",
        "solve",
        "build",
        "upload",
    ]
    assert built.log_bytes == len(bench.yard.logs[job.attempt_id])
    assert {"kernel", "libc", "py-rattler-build"} <= set(built.machine)

    tested = bench.run_job(bench.test_job(job, built.artifacts))
    assert tested.outcome is Outcome.SUCCEEDED, tested.failure
    assert "test" in tested.phases
