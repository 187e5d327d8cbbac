"""Making an artifact again from its own inputs: the same bytes, or a list of what differs."""

from __future__ import annotations

import hashlib

import msgspec

from forgeyard.builds.job import Job, JobResult
from forgeyard.builds.outcome import Outcome
from functional.runner.conftest import RECIPE, Bench


def again(bench: Bench, job: Job, built: JobResult) -> JobResult:
    assert built.outcome is Outcome.SUCCEEDED, built.failure
    return bench.run_job(
        msgspec.structs.replace(
            job, attempt_id=f"{job.attempt_id}-again", artifacts=built.artifacts
        )
    )


def test_same_bytes_with_sources_and_an_older_lock(bench: Bench) -> None:
    data = bench.root / "data.txt"
    data.write_text("data\n")
    digest = hashlib.sha256(b"data\n").hexdigest()
    bench.add_package("library", {"include/library.h": "one\n"})
    recipe = RECIPE.replace(
        "build:\n",
        f"source: {{url: {data.as_uri()}, sha256: {digest}}}\nbuild:\n",
        1,
    ).replace("about:", "requirements: {host: [library]}\nabout:")
    recipe = recipe.replace(
        "    - mkdir", "    - date; echo $PREFIX $SOURCE_DATE_EPOCH > $PREFIX/when\n    - mkdir", 1
    )
    job = bench.job(recipe)
    built = bench.run_job(job)
    data.unlink()
    bench.add_package("library", {"include/library.h": "two\n"}, version="2.0")
    result = again(bench, job, built)
    assert result.outcome is Outcome.SUCCEEDED, (
        result.failure,
        bench.yard.text(f"{job.attempt_id}-again"),
    )
    assert result.artifacts == built.artifacts
    assert [each.version for each in result.locks["host"]] == ["1.0"]


def test_what_differs_is_told(bench: Bench) -> None:
    recipe = RECIPE.replace(
        "echo made >", "cat /proc/sys/kernel/random/uuid > $PREFIX/share/chance; echo made >"
    )
    job = bench.job(recipe)
    built = bench.run_job(job)
    result = again(bench, job, built)
    assert result.outcome is Outcome.NOT_REPRODUCIBLE
    assert result.failure is not None
    assert "share/chance" in result.failure.message
    assert "share/demo" not in result.failure.message
    assert result.artifacts[0].sha256 != built.artifacts[0].sha256
    assert bench.yard.has(result.artifacts[0].sha256)
