"""The runner's endpoints: tokens, offsets, hashes, and fencing."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from forgeyard.actions.control import cancel_build
from forgeyard.actions.feedstocks import add_feedstock
from forgeyard.actions.submit import submit
from forgeyard.builds.job import Job, JobResult
from forgeyard.builds.outcome import Outcome
from forgeyard.store import attempts, builds
from scenarios.played_runner import Play, Runner, package_of
from yards import TestYard, write_recipe


@pytest.fixture
def play(place: TestYard, client: Any) -> Play:
    write_recipe(place.feedstocks, "base")
    add_feedstock(place.yard, place.owner, str(place.feedstocks))
    submit(place.yard, place.owner)
    return Play(place.yard, client)


@pytest.fixture
def runner(play: Play) -> Runner:
    (runner,) = play.dispatch()
    return runner


def build_of(place: TestYard, runner: Runner) -> Any:
    with place.yard.store.read() as connection:
        return builds.get(connection, runner.job.build_id)


class TestInputs:
    def test_the_job_is_what_the_executor_got(self, runner: Runner) -> None:
        job = msgspec.json.decode(runner.ask("GET", "/job").content, type=Job)
        assert job == runner.job

    def test_the_feedstock_has_the_digest_of_the_job(self, runner: Runner) -> None:
        data = runner.ask("GET", "/feedstock").content
        assert hashlib.sha256(data).hexdigest() == runner.job.feedstock

    def test_the_mirror_takes_only_right_bytes(self, runner: Runner) -> None:
        data = b"source" * 300_000
        digest = hashlib.sha256(data).hexdigest()
        assert runner.ask("GET", f"/sources/{digest}").status_code == 404
        wrong = runner.ask("PUT", f"/sources/{digest}", content=data + b"!")
        assert (wrong.status_code, wrong.json()["code"]) == (422, "digest_mismatch")
        assert runner.ask("GET", f"/sources/{digest}").status_code == 404
        stored = runner.ask("PUT", f"/sources/{digest}", content=data)
        assert stored.json() == {"sha256": digest, "size": len(data)}
        assert runner.ask("GET", f"/sources/{digest}").content == data

    def test_nothing_is_left_in_the_spool(self, place: TestYard, runner: Runner) -> None:
        runner.ask("PUT", f"/sources/{'0' * 64}", content=b"x")
        assert list(place.yard.folder("incoming").iterdir()) == []


class TestLog:
    def test_it_grows_by_offsets(self, runner: Runner) -> None:
        assert runner.ask("POST", "/log?offset=0", content=b"abc").json() == {"size": 3}
        assert runner.ask("POST", "/log?offset=3", content=b"def").json() == {"size": 6}

    def test_a_gap_is_told_with_the_size(self, runner: Runner) -> None:
        runner.ask("POST", "/log?offset=0", content=b"abc")
        answer = runner.ask("POST", "/log?offset=9", content=b"x")
        assert answer.status_code == 409
        assert (answer.json()["size"], answer.json()["code"]) == (3, "log_offset")

    def test_what_comes_twice_is_kept_once(self, place: TestYard, runner: Runner) -> None:
        first, second = b'{"m":"one"}\n', b'{"m":"two"}\n'
        runner.ask("POST", "/log?offset=0", content=first)
        for _ in range(2):
            answer = runner.ask("POST", "/log?offset=0", content=first + second)
            assert answer.json() == {"size": len(first + second)}
        path = f"/api/v1/builds/{runner.job.build_id}/log"
        assert [
            msgspec.json.decode(line)["m"]
            for line in runner.http.request("GET", path).content.splitlines()
        ] == ["one", "two"]

    @pytest.mark.parametrize("offset", ["-1", "x", ""])
    def test_an_offset_is_a_number(self, runner: Runner, offset: str) -> None:
        assert runner.ask("POST", f"/log?offset={offset}", content=b"a").status_code == 422


class TestArtifacts:
    def test_a_package_is_opened_and_checked(self, runner: Runner) -> None:
        staged = runner.upload({"share/base": b"hello"})
        assert staged.filename.startswith("base-1.0-")
        filename, data = package_of(runner.job, {"share/base": b"hello"})
        for headers, body, code in (
            ({"X-Content-SHA256": "0" * 64}, data, "sha256_mismatch"),
            ({"X-Content-SHA256": hashlib.sha256(b"no").hexdigest()}, b"no", "bad_package"),
            ({}, data, "request_invalid"),
        ):
            answer = runner.ask(
                "PUT", f"/artifacts/noarch/{filename}", content=body, headers=headers
            )
            assert (answer.status_code, answer.json()["code"]) == (422, code)

    def test_only_what_the_build_makes(self, runner: Runner) -> None:
        _, data = package_of(runner.job, {})
        headers = {"X-Content-SHA256": hashlib.sha256(data).hexdigest()}
        for place in ("noarch/other-1.0-h0_0.conda", "linux-64/base-1.0-h0_0.conda"):
            answer = runner.ask("PUT", f"/artifacts/{place}", content=data, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (422, "artifact_unexpected")

    def test_the_test_stage_gets_what_its_job_names_and_no_more(
        self, place: TestYard, play: Play, runner: Runner
    ) -> None:
        staged = runner.upload({"share/base": b"hello"})
        assert runner.ask("GET", f"/artifacts/{staged.sha256}").status_code == 403
        runner.end(artifacts=(staged,))
        (tester,) = play.dispatch()
        assert [a.sha256 for a in tester.job.artifacts] == [staged.sha256]
        got = tester.ask("GET", f"/artifacts/{staged.sha256}").content
        assert hashlib.sha256(got).hexdigest() == staged.sha256
        assert tester.ask("GET", f"/artifacts/{runner.job.feedstock}").status_code == 403
        tester.end()
        play.publish()
        assert build_of(place, runner).outcome == "succeeded"


class TestTokens:
    def test_no_token_or_another_attempts_is_refused(self, play: Play, runner: Runner) -> None:
        for headers in ({"Authorization": ""}, {"Authorization": "Bearer fy_x_y"}):
            answer = runner.ask("GET", "/job", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "token_unknown")

    def test_the_owners_token_does_not_make_a_runner(self, place: TestYard, runner: Runner) -> None:
        answer = runner.ask("GET", "/job", headers={"Authorization": f"Bearer {place.token}"})
        assert answer.status_code == 401

    def test_an_attempts_token_opens_nothing_else(self, runner: Runner) -> None:
        answer = runner.http.request("POST", "/api/v1/builds", headers=runner.headers, json={})
        assert answer.status_code == 401

    def test_a_token_that_ends_soon_is_renewed(self, place: TestYard, runner: Runner) -> None:
        assert runner.ask("POST", "/heartbeat").json() == {"cancel": False, "token": None}
        with place.yard.store.write() as connection:
            row = attempts.get(connection, runner.job.attempt_id)
            assert row is not None
            soon = row.created_at + (row.token_expires_at - row.created_at) / 2
            attempts.change(connection, row.id, token_expires_at=soon)
        fresh = runner.ask("POST", "/heartbeat").json()["token"]
        assert fresh and fresh not in runner.headers["Authorization"]
        assert runner.ask("GET", "/job").status_code == 401
        runner.headers = {"Authorization": f"Bearer {fresh}"}
        assert runner.ask("GET", "/job").status_code == 200


class TestEnd:
    def test_the_first_phase_means_started(self, place: TestYard, runner: Runner) -> None:
        runner.phase("fetch", time.time())
        with place.yard.store.read() as connection:
            row = attempts.get(connection, runner.job.attempt_id)
        assert row is not None and row.state == "running" and row.phase == "fetch"

    def test_after_the_end_everything_is_gone(self, runner: Runner) -> None:
        runner.end(Outcome.FAILED)
        for method, place in (
            ("GET", "/job"),
            ("POST", "/heartbeat"),
            ("POST", "/log?offset=0"),
            ("POST", "/result"),
            ("PUT", f"/sources/{'0' * 64}"),
        ):
            assert runner.ask(method, place, content=b"{}").status_code == 410, place

    def test_a_cancelled_build_fences_its_runner_off(self, place: TestYard, runner: Runner) -> None:
        cancel_build(place.yard, place.owner, runner.job.build_id)
        answer = runner.ask("POST", "/heartbeat")
        assert (answer.status_code, answer.json()["code"]) == (410, "attempt_gone")

    @pytest.mark.parametrize("body", [b"", b"{", b'{"outcome":"splendid"}', b"[]"])
    def test_a_wrong_result_changes_nothing(
        self, place: TestYard, runner: Runner, body: bytes
    ) -> None:
        answer = runner.ask("POST", "/result", content=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "result_invalid")
        assert build_of(place, runner).state == "running"

    def test_a_result_without_its_package_is_not_believed(
        self, place: TestYard, runner: Runner
    ) -> None:
        result = JobResult(outcome=Outcome.SUCCEEDED)
        runner.ask("POST", "/result", content=msgspec.json.encode(result))
        build = build_of(place, runner)
        assert build.state == "ready" and build.failure.code == "artifacts_missing"


def test_a_large_upload_does_not_go_through_memory(
    place: TestYard, runner: Runner, tmp_path: Path
) -> None:
    """More than the limit of the disk is refused while it streams."""
    limits = msgspec.structs.replace(place.yard.settings.limits, disk_gib=2 / 1024)
    place.yard.settings = msgspec.structs.replace(place.yard.settings, limits=limits)
    answer = runner.ask("PUT", f"/sources/{'0' * 64}", content=b"x" * (3 * 2**20))
    assert (answer.status_code, answer.json()["code"]) == (422, "too_large")
    assert list(place.yard.folder("incoming").iterdir()) == []
