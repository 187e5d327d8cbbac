from __future__ import annotations

from typing import Any

import pytest

from forgeyard.cli import follow
from forgeyard.cli.batch_progress import Standing, ended_line
from forgeyard.cli.followed import Followed, together
from forgeyard.cli.live_table import live_table


def a_build(number: int, state: str, outcome: str | None = None, **more: Any) -> dict[str, Any]:
    plain = {
        "step": "build",
        "phase": None,
        "failure": None,
        "seconds": 2.0,
        "seconds_left": 1.0,
        "progress": 0.5,
    }
    return {
        **plain,
        "id": f"b-{number}",
        "name": f"package{number}",
        "version": "1.0",
        "subdir": "noarch",
        "state": state,
        "outcome": outcome,
        **more,
    }


def a_batch(builds: list[dict[str, Any]]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for build in builds:
        key = build["outcome"] or build["state"]
        counts[key] = counts.get(key, 0) + 1
    done = [build for build in builds if build["state"] == "done"]
    good = [build for build in done if build["outcome"] in ("succeeded", "unchanged")]
    return {
        "total": len(builds),
        "done": len(done),
        "failed": len(done) - len(good),
        "percent": 40.0,
        "seconds_left": 12.0,
        "counts": counts,
    }


BUILDS = [
    a_build(1, "waiting"),
    a_build(2, "ready"),
    a_build(3, "running"),
    a_build(4, "running", step="test", phase="solve"),
    a_build(5, "done", "succeeded"),
    a_build(6, "done", "unchanged"),
    a_build(7, "done", "timed_out", failure={"message": "took too long\nreally"}),
]


def test_standing_counts_by_stage() -> None:
    standing = Standing(a_batch(BUILDS), BUILDS)
    assert (
        standing.words() == "waiting 2, building 1, testing 1, published 1, unchanged 1, failed 1"
    )
    assert not standing.done
    assert standing.failed == 1


def test_a_batch_too_large_to_list_is_counted_all_the_same() -> None:
    batch = a_batch(BUILDS) | {"total": 5000, "counts": {"waiting": 4990, "succeeded": 9}}
    standing = Standing(batch, BUILDS[2:3])
    assert standing.words() == "waiting 4990, building 1, published 9"


def test_the_line_of_a_failure_names_the_build_and_the_first_line_of_the_cause() -> None:
    assert ended_line(BUILDS[6]) == "timed out  package7 1.0  in 2.0 s  b-7: took too long"
    assert ended_line(BUILDS[4]) == "published  package5 1.0  in 2.0 s"


def submission(**parts: Any) -> dict[str, Any]:
    return {"batch": "s-1", "builds": [], "kept": [], "problems": [], **parts}


class Yard:
    """Answers as the API does; each look finds the builds one step further."""

    def __init__(self, *looks: list[dict[str, Any]]) -> None:
        self.looks = list(looks)

    def get(self, path: str, **query: Any) -> Any:
        if path.startswith("/batches/"):
            return a_batch(self._next())
        if path.startswith("/builds/"):
            return {"batch": "s-0"}
        return self._next() if query["batch"] == "s-0" else self.now

    def _next(self) -> list[dict[str, Any]]:
        self.now = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return self.now


def test_following_tells_each_start_and_end_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_POLL_SECONDS", 0.0)
    yard = Yard(
        [a_build(1, "running"), a_build(2, "waiting")],
        [a_build(1, "running"), a_build(2, "waiting")],
        [
            a_build(1, "done", "failed", failure={"message": "no"}),
            a_build(2, "done", "dependency_failed", failure={"message": "package1"}),
        ],
    )
    standing = follow.follow(Followed(yard, submission(builds=[{}])))  # type: ignore[arg-type]
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "building   package1 1.0",
        "failed     package1 1.0  in 2.0 s  b-1: no",
        "dependency failed package2 1.0  in 2.0 s  b-2: package1",
        "done: failed 2; see 'forgeyard why b-1'",
    ]
    assert standing.failed == 2


def test_the_live_table_shows_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with live_table() as view:
        view.show(Standing(a_batch(BUILDS), BUILDS))
        view.ended(BUILDS[4])
    shown = capsys.readouterr().err
    assert "published  package5 1.0" in shown


def test_builds_that_are_on_their_way_already_are_waited_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_POLL_SECONDS", 0.0)
    another = a_build(9, "running")
    yard = Yard([a_build(1, "running"), another], [a_build(1, "done", "succeeded"), another])
    kept = [
        {"code": "on_its_way", "build_id": "b-1"},
        {"code": "published", "build_id": "b-9"},
    ]
    followed = Followed(yard, submission(kept=kept))  # type: ignore[arg-type]
    standing = follow.follow(followed)
    assert standing.words() == "published 1"
    assert "package9" not in capsys.readouterr().err


def test_a_build_that_is_tried_again_says_so_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "_POLL_SECONDS", 0.0)
    held = a_build(1, "ready", failure={"message": "the sandbox does not start"})
    yard = Yard([held], [held], [a_build(1, "done", "succeeded")])
    follow.follow(Followed(yard, submission(builds=[{}])))  # type: ignore[arg-type]
    assert capsys.readouterr().err.splitlines() == [
        "waiting    package1 1.0 to be tried again after: the sandbox does not start; "
        "see 'forgeyard why b-1'",
        "published  package1 1.0  in 2.0 s",
        "all done: published 1",
    ]


def test_nothing_to_wait_for() -> None:
    assert not Followed(Yard([]), submission())  # type: ignore[arg-type]


def test_builds_of_several_batches_are_summed_up() -> None:
    summed = together(BUILDS)
    assert Standing(summed, BUILDS).words() == Standing(a_batch(BUILDS), BUILDS).words()
    assert round(summed["percent"]) == round(100 * (3 + 4 * 0.5) / 7)
