"""From a runner's packages to the channel: checked, fenced, published once or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest
from anyio.from_thread import start_blocking_portal

from app_client import AppClient
from forgeyard.actions import publish
from forgeyard.actions.doctor import examine
from forgeyard.actions.feedstocks import add_feedstock
from forgeyard.actions.submit import submit
from forgeyard.builds.outcome import Outcome
from forgeyard.channels.shards import decode_shard, decode_shard_index
from forgeyard.errors import Unavailable
from forgeyard.provenance.statement import Subject, check_publish_statement
from forgeyard.signing.dsse import verify
from forgeyard.store import artifacts, attempts, builds, channels
from scenarios.played_runner import Play, Runner
from yards import TestYard, write_recipe


@pytest.fixture
def play(place: TestYard) -> Iterator[Play]:
    with start_blocking_portal() as portal:
        yield Play(place.yard, AppClient(place.yard, portal))


def ask(place: TestYard, force: bool = False) -> str:
    """Submit what lies there; the id of the only build."""
    add_feedstock(place.yard, place.owner, str(place.feedstocks))
    (build,) = submit(place.yard, place.owner, force=force).builds
    return build.id


def build_stage(play: Play, files: dict[str, bytes]) -> Runner:
    (runner,) = play.dispatch()
    runner.phase("fetch", 0)
    runner.end(artifacts=(runner.upload(files),))
    return runner


def test_stage(play: Play) -> None:
    (runner,) = play.dispatch()
    runner.phase("test", 0)
    runner.end()


test_stage.__test__ = False  # type: ignore[attr-defined]


def whole(place: TestYard, play: Play, files: dict[str, bytes], force: bool = False) -> str:
    build_id = ask(place, force)
    build_stage(play, files)
    test_stage(play)
    play.publish()
    return build_id


def outcome_of(place: TestYard, build_id: str) -> tuple[str | None, str | None]:
    with place.yard.store.read() as connection:
        row = builds.get(connection, build_id)
    assert row is not None
    return row.outcome, row.failure.code if row.failure else None


def published_names(place: TestYard) -> dict[str, list[str]]:
    """What a client of the shards sees: name → file names."""
    yard = place.yard
    with yard.store.read() as connection:
        channel = channels.by_name(connection, "main")
        now = channels.current_publication(connection, channel.id, "main", "noarch")
    index = decode_shard_index(yard.objects.get(now.index_digest))
    return {
        name: sorted(decode_shard(yard.objects.get(digest))[0])
        for name, digest in index.shards.items()
    }


def test_a_tested_build_is_published_and_attested(place: TestYard, play: Play) -> None:
    write_recipe(place.feedstocks, "base")
    build_id = whole(place, play, {"share/base": b"1"})
    assert outcome_of(place, build_id) == ("succeeded", None)
    ((name, (filename,)),) = published_names(place).items()
    assert name == "base"
    yard = place.yard
    with yard.store.read() as connection:
        channel = channels.by_name(connection, "main")
        row = channels.file(connection, channel.id, "noarch", filename)
    signed = yard.objects.get(row.publish_attestation)
    statement = verify(signed, [yard.signing_key.public]).payload
    subject = Subject(filename=filename, sha256=row.sha256)
    check_publish_statement(statement, subject, "http://127.0.0.1:8765/channels/main")
    assert examine(yard, read_all=True) == []


def test_what_is_built_is_tested_before_anything_else_is_built(place: TestYard, play: Play) -> None:
    for name in ("one", "two", "three"):
        write_recipe(place.feedstocks, name)
    add_feedstock(place.yard, place.owner, str(place.feedstocks))
    submit(place.yard, place.owner)
    first, _ = play.dispatch()
    first.end(artifacts=(first.upload({"share/x": b"1"}),))
    (following,) = play.dispatch()
    assert (following.job.name, following.job.stage) == (first.job.name, "test")


def test_the_same_content_again_is_unchanged_and_not_published_again(
    place: TestYard, play: Play
) -> None:
    write_recipe(place.feedstocks, "base")
    whole(place, play, {"share/base": b"1"})
    before = published_names(place)
    build_id = ask(place, force=True)
    build_stage(play, {"share/base": b"1"})
    assert outcome_of(place, build_id) == ("unchanged", None)
    assert play.dispatch() == [], "what has not changed need not be tested"
    assert published_names(place) == before


def test_other_bytes_under_a_published_name_are_refused(place: TestYard, play: Play) -> None:
    write_recipe(place.feedstocks, "base")
    whole(place, play, {"share/base": b"1"})
    before = published_names(place)
    build_id = ask(place, force=True)
    build_stage(play, {"share/base": b"2"})
    assert outcome_of(place, build_id) == ("failed", "filename_taken")
    assert published_names(place) == before


def test_two_builds_of_one_file_name_in_flight_publish_one(place: TestYard, play: Play) -> None:
    """Both were built before either was published: the second finds the name taken."""
    write_recipe(place.feedstocks, "base")
    first = ask(place)
    build_stage(play, {"share/base": b"1"})
    # Another text of the recipe, the same name, version and build number.
    write_recipe(place.feedstocks, "base", more=" ")
    second = ask(place)
    (tester,) = [r for r in play.dispatch() if r.job.build_id == first]
    (builder,) = [
        Runner(play.http, spec)
        for spec in play.executor.specs.values()
        if spec.job.build_id == second and spec.job.stage == "build"
    ]
    builder.end(artifacts=(builder.upload({"share/base": b"2"}),))
    (second_tester,) = play.dispatch()
    tester.end()
    second_tester.end()
    play.publish()
    assert outcome_of(place, first) == ("succeeded", None)
    assert outcome_of(place, second) == ("failed", "filename_taken")


def test_an_attempt_that_was_given_up_can_do_nothing_more(place: TestYard, play: Play) -> None:
    write_recipe(place.feedstocks, "base")
    build_id = ask(place)
    (lost,) = play.dispatch()
    with place.yard.store.write() as connection:
        builds.change(connection, build_id, state="ready", attempt_id=None)
        attempts.change(connection, lost.job.attempt_id, state="ended", token_digest=None)
    (second,) = play.dispatch()
    assert second.job.build_id == build_id
    for method, where in (("POST", "/log?offset=0"), ("POST", "/heartbeat"), ("POST", "/result")):
        assert lost.ask(method, where, content=b"{}").status_code == 410
    second.end(artifacts=(second.upload({"share/base": b"1"}),))
    assert outcome_of(place, build_id) == (None, None)


def test_an_attempt_s_token_is_good_for_that_attempt_alone(place: TestYard, play: Play) -> None:
    write_recipe(place.feedstocks, "one")
    write_recipe(place.feedstocks, "two")
    add_feedstock(place.yard, place.owner, str(place.feedstocks))
    submit(place.yard, place.owner)
    one, two = play.dispatch()
    one.headers = two.headers
    assert one.ask("POST", "/heartbeat").status_code == 401
    with place.yard.store.write() as connection:
        past = place.yard.now() - timedelta(seconds=1)
        attempts.change(connection, two.job.attempt_id, token_expires_at=past)
    assert two.ask("POST", "/heartbeat").status_code == 401


def test_an_attempt_may_only_make_its_own_output(place: TestYard, play: Play) -> None:
    write_recipe(place.feedstocks, "base")
    ask(place)
    (runner,) = play.dispatch()
    answer = runner.ask(
        "PUT",
        "/artifacts/noarch/other-1.0-h_0.conda",
        content=b"",
        headers={"X-Content-SHA256": "0" * 64},
    )
    assert answer.status_code == 422
    assert answer.json()["code"] == "artifact_unexpected"


def test_a_repeated_piece_of_log_is_taken_once(place: TestYard, play: Play) -> None:
    write_recipe(place.feedstocks, "base")
    ask(place)
    (runner,) = play.dispatch()
    for offset, data, size in ((0, b"abc", 3), (0, b"abc", 3), (1, b"bcd", 4), (4, b"", 4)):
        answer = runner.ask("POST", f"/log?offset={offset}", content=data)
        assert (answer.status_code, answer.json()["size"]) == (200, size)
    gap = runner.ask("POST", "/log?offset=9", content=b"x")
    assert (gap.status_code, gap.json()["size"]) == (409, 4)


def test_a_full_disk_while_publishing_loses_nothing(
    place: TestYard, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_recipe(place.feedstocks, "base")
    build_id = ask(place)
    build_stage(play, {"share/base": b"1"})
    test_stage(play)

    def full(data: bytes) -> str:
        raise Unavailable("no space left", code="disk_full", hint="Free some space.")

    with monkeypatch.context() as patched:
        patched.setattr(place.yard.objects, "put_bytes", full)
        play.publish()
    with place.yard.store.read() as connection:
        row = builds.get(connection, build_id)
        assert channels.by_name(connection, "main") is None, "the transaction was undone"
    assert (row.state, row.step, row.failure.code) == ("running", "publish", "disk_full")
    assert row.not_before > place.yard.now().timestamp()
    with place.yard.store.write() as connection:
        builds.change(connection, build_id, not_before=None)
    play.publish()
    assert outcome_of(place, build_id) == ("succeeded", None)


def test_a_crash_inside_the_publishing_transaction_shows_nothing_of_it(
    place: TestYard, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every statement that publishing makes: after a restart it is published once, whole."""
    write_recipe(place.feedstocks, "base")
    build_id = ask(place)
    build_stage(play, {"share/base": b"1"})
    test_stage(play)
    steps = ("_bind", "_move_label", "write_journal", "advance")
    for name in steps:

        def crash(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(publish, name, crash)
            play.publish()
        with place.yard.store.read() as connection:
            channel = channels.by_name(connection, "main")
            assert channel is None or channels.names_known(connection, channel.id) == 0
    play.publish()
    play.publish()
    assert outcome_of(place, build_id) == ("succeeded", None)
    assert list(published_names(place)) == ["base"]


def test_doctor_finds_a_missing_object_and_says_the_remedy(place: TestYard, play: Play) -> None:
    write_recipe(place.feedstocks, "base")
    build_id = whole(place, play, {"share/base": b"1"})
    yard = place.yard
    with yard.store.read() as connection:
        attempt = attempts.of_build(connection, build_id)[0]
        (row,) = artifacts.many(connection, [attempt.result.artifacts[0].sha256])
    path = yard.objects.local_path(row.sha256)
    assert path is not None
    path.chmod(0o600)
    path.write_bytes(b"rotten")
    assert [f.code for f in examine(yard, read_all=True)] == ["object_damaged"]
    path.unlink()
    (finding,) = examine(yard)
    assert finding.code == "object_missing"
    assert row.sha256 in finding.message
    assert "backup" in finding.hint


def test_doctor_finds_a_corrupt_database(place: TestYard) -> None:
    write_recipe(place.feedstocks, "base")
    ask(place)
    place.yard.close()
    path = place.yard.directory / "yard.db"
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    data[8192 : 8192 + 4096] = b"\xff" * 4096
    path.write_bytes(data)
    findings = examine(place.yard)
    assert {f.code for f in findings} == {"database_corrupt"}
    assert "sqlite3 yard.db .recover" in findings[0].hint


def test_outcomes_that_a_runner_reports_are_taken_as_they_are(place: TestYard, play: Play) -> None:
    write_recipe(place.feedstocks, "base")
    build_id = ask(place)
    (runner,) = play.dispatch()
    runner.end(outcome=Outcome.SILENT)
    assert outcome_of(place, build_id)[0] == "silent"


def test_a_success_without_its_packages_is_not_believed(place: TestYard, play: Play) -> None:
    write_recipe(place.feedstocks, "base")
    build_id = ask(place)
    (runner,) = play.dispatch()
    runner.end(outcome=Outcome.SUCCEEDED)
    with place.yard.store.read() as connection:
        row = builds.get(connection, build_id)
    assert (row.state, row.failure.code) == ("ready", "artifacts_missing")
