"""Attempts that fail: each with a code, words, and the right outcome (DESIGN §4)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from forgeyard.builds.job import JobResult
from forgeyard.builds.outcome import Failure, Outcome
from functional.runner.conftest import RECIPE, Bench
from functional.runner.test_limits import script


def failure(result: JobResult, outcome: Outcome = Outcome.FAILED) -> Failure:
    assert result.outcome is outcome, result.failure
    assert result.failure is not None
    assert result.artifacts == ()
    return result.failure


def sourced(url: str, sha256: str) -> str:
    return (
        'package: {name: demo, version: "1.0"}\n'
        f"source:\n  - url: {url}\n    sha256: {sha256}\n"
        "build:\n  number: 0\n  script:\n"
        "    - mkdir -p $PREFIX/share\n    - cp data.txt $PREFIX/share/\n"
        "about: {license: MIT, summary: a demo}\n"
    )


def test_script_fails(bench: Bench) -> None:
    job = bench.job(script("echo one", "echo the reason", "exit 7"))
    told = failure(bench.run_job(job))
    assert told.code == "script_failed"
    assert "7" in told.message
    assert told.log_line is not None
    line = bench.yard.lines(job.attempt_id)[told.log_line - 1]
    assert line["m"] == "the reason"


def test_test_fails(bench: Bench) -> None:
    recipe = RECIPE.replace("test -f $PREFIX/share/demo", "test -f $PREFIX/share/other")
    job = bench.job(recipe)
    built = bench.run_job(job)
    told = failure(bench.run_job(bench.test_job(job, built.artifacts)))
    assert told.code == "test_failed"


def test_tries_the_network(bench: Bench) -> None:
    told = failure(bench.run(script("/usr/bin/curl -sS http://example.invalid/")))
    assert told.code == "network_tried"
    assert told.hint is not None
    assert "source:" in told.hint


def test_cannot_reach_the_yard(bench: Bench) -> None:
    recipe = script(f"! /usr/bin/curl -sS http://127.0.0.1:{bench.yard.port}/", "exit 3")
    assert failure(bench.run(recipe)).code == "script_failed"


def test_writes_outside_the_prefix(bench: Bench) -> None:
    told = failure(bench.run(script("touch /usr/share/forgeyard-was-here")))
    assert told.code == "read_only"
    assert not Path("/usr/share/forgeyard-was-here").exists()


def test_misses_a_program(bench: Bench) -> None:
    told = failure(bench.run(script("no-such-program --version")))
    assert told.code == "tool_missing"
    assert told.hint is not None
    assert "no-such-program" in told.hint


def test_sees_no_secrets(bench: Bench) -> None:
    secret = bench.root / "runner"
    recipe = script(
        "env > $SRC_DIR/env",
        f"! grep -r secret-one $SRC_DIR /tmp /home /etc {secret} 2>/dev/null",
        f"! ls {secret} 2>/dev/null",
        "! ls /root/.ssh 2>/dev/null",
        'test -z "$(ls /usr/local | grep -v cuda)"',
        "mkdir -p $PREFIX/share && echo x > $PREFIX/share/x",
    )
    result = bench.run(recipe)
    assert result.outcome is Outcome.SUCCEEDED, result.failure


def test_leaves_the_prefix_behind(bench: Bench) -> None:
    recipe = script("mkdir -p $PREFIX/share", "echo $PREFIX/x > $PREFIX/share/config.txt")
    recipe = recipe.replace(
        "  number: 0\n", "  number: 0\n  prefix_detection: {ignore: [share/config.txt]}\n"
    )
    told = failure(bench.run(recipe))
    assert told.code == "absolute_path"
    assert "share/config.txt" in told.message


def test_links_into_the_build_directory(bench: Bench) -> None:
    recipe = script("mkdir -p $PREFIX/share", "ln -s /build/elsewhere $PREFIX/share/link")
    told = failure(bench.run(recipe))
    assert told.code == "absolute_path"
    assert "share/link" in told.message


def test_source_path_is_remarked_upon_and_bytecode_may_name_it(bench: Bench) -> None:
    recipe = script(
        "mkdir -p $PREFIX/share",
        "echo $SRC_DIR/here > $PREFIX/share/config.txt",
        "echo $PREFIX/here > $PREFIX/share/module.pyc",
    )
    result = bench.run(recipe)
    assert result.outcome is Outcome.SUCCEEDED, result.failure
    assert any("share/config.txt" in remark for remark in result.warnings)
    assert not any("module.pyc" in remark for remark in result.warnings)


def test_prefix_in_a_text_file_is_fine(bench: Bench) -> None:
    recipe = script("mkdir -p $PREFIX/bin", "echo $PREFIX/here > $PREFIX/bin/config.txt")
    assert bench.run(recipe).outcome is Outcome.SUCCEEDED


def test_wrong_sha256(bench: Bench) -> None:
    data = bench.root / "data.txt"
    data.write_text("data\n")
    told = failure(bench.run(sourced(data.as_uri(), "0" * 64)))
    assert told.code == "sha256_mismatch"
    assert "0" * 64 in told.message
    assert hashlib.sha256(b"data\n").hexdigest() in told.message


def test_unreachable_source(bench: Bench) -> None:
    result = bench.run(sourced("http://127.0.0.1:9/data.txt", "0" * 64))
    told = failure(result, Outcome.INFRASTRUCTURE)
    assert told.code == "source_unreachable"
    assert "127.0.0.1:9" in told.message


def test_unknown_kind_of_place(bench: Bench) -> None:
    told = failure(bench.run(sourced("gopher://old/data.txt", "0" * 64)))
    assert told.code == "source_unreachable"
    assert "gopher" in told.message


def test_unsolvable(bench: Bench) -> None:
    bench.add_package("tool", {"bin/tool": "#!/bin/sh\n"})
    recipe = RECIPE.replace("about:", "requirements:\n  build: [tool >=2]\nabout:")
    told = failure(bench.run(recipe))
    assert told.code == "unsolvable"
    assert "tool >=2" in told.message


def test_recipe_that_is_none(bench: Bench) -> None:
    job = bench.job(RECIPE)
    broken = bench.job(RECIPE, files={"recipe.yaml": "package: [\n"})
    told = failure(bench.run_job(broken))
    assert told.code == "recipe_invalid"
    assert job.build_string == broken.build_string


def test_mentions_another_build_string(bench: Bench) -> None:
    told = failure(bench.run(RECIPE, build_string="h1234567_0"))
    assert told.code == "render_mismatch"
