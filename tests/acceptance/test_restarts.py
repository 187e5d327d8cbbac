"""``kill -9`` anywhere: the state after the restart is right, nothing is lost or doubled."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.served_yard import ServedYard
from yards import write_recipe

pytestmark = pytest.mark.slow

LINES = 60
#: Writes a line every tenth of a second.
TALKATIVE = [
    f"for i in $(seq {LINES}); do echo line-$i-; sleep 0.1; done",
    "mkdir -p $PREFIX/share && touch $PREFIX/share/$PKG_NAME",
]


def submitted(yard: ServedYard, feedstocks: Path) -> str:
    yard.post("/feedstocks", {"origin": str(feedstocks)})
    submission = yard.post("/builds", {"feedstocks": []})
    assert not submission["problems"]
    return str(submission["builds"][0]["id"])


def until(
    yard: ServedYard, build_id: str, good: Callable[[dict[str, Any]], bool], seconds: float = 60
) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        build: dict[str, Any] = yard.get(f"/builds/{build_id}")
        if good(build):
            return build
        time.sleep(0.1)
    raise AssertionError(f"did not come to that: {build}")


def log_of(yard: ServedYard, build_id: str, stage: str = "build") -> str:
    answer = yard.http.get(f"/api/v1/builds/{build_id}/log", params={"stage": stage, "text": 1})
    return answer.raise_for_status().text


def supervisor_of(yard: ServedYard, attempt_id: str) -> int:
    (process,) = (
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if attempt_id in (text := _cmdline(path)) and "runner.supervisor" in text
    )
    return process


def _cmdline(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def test_a_killed_server_loses_no_build_and_no_log_line(
    new_yard: Callable[[], ServedYard], tmp_path: Path
) -> None:
    write_recipe(tmp_path, "talkative", script=TALKATIVE)
    yard = new_yard()
    build_id = submitted(yard, tmp_path / "talkative")
    until(yard, build_id, lambda _: "line-10-" in log_of(yard, build_id))
    yard.kill()
    time.sleep(1.5)  # the build goes on and says things that nobody takes
    yard.start()
    build = until(yard, build_id, lambda b: b["state"] == "done")
    assert build["outcome"] == "succeeded"
    assert [a["stage"] for a in build["attempts"]] == ["build", "test"], "no attempt was doubled"
    # The shell also shows each command; what counts is what the commands said.
    lines = [line for line in log_of(yard, build_id).splitlines() if "echo" not in line]
    said = [line.split()[-1] for line in lines if "line-" in line]
    assert said == [f"line-{n}-" for n in range(1, LINES + 1)]


def test_a_server_killed_again_and_again_publishes_once(
    new_yard: Callable[[], ServedYard], tmp_path: Path
) -> None:
    feedstocks = tmp_path / "feedstocks"
    feedstocks.mkdir()
    for number in range(3):
        write_recipe(feedstocks, f"pkg{number}")
    yard = new_yard()
    yard.post("/feedstocks", {"origin": str(feedstocks)})
    submission = yard.post("/builds", {"feedstocks": []})
    ids = [build["id"] for build in submission["builds"]]
    for pause in (0.15, 0.3, 0.5, 0.7, 0.9):
        time.sleep(pause)
        yard.kill()
        yard.start()
    for build_id in ids:
        build = until(yard, build_id, lambda b: b["state"] == "done")
        assert build["outcome"] == "succeeded", build["failure"]
    entries = yard.get("/journal?limit=1000")
    entries = entries["entries"] if isinstance(entries, dict) else entries
    published = [e["detail"]["build"] for e in entries if e["action"] == "channel.publish"]
    assert sorted(published) == sorted(ids), "each build is published exactly once"


def test_a_killed_runner_takes_its_build_with_it_and_is_tried_again(
    new_yard: Callable[[], ServedYard], tmp_path: Path
) -> None:
    write_recipe(tmp_path, "sleeper", script="echo asleep-4711; sleep 4711")
    yard = new_yard()
    build_id = submitted(yard, tmp_path / "sleeper")
    build = until(yard, build_id, lambda _: "asleep-4711" in log_of(yard, build_id))
    attempt_id = build["attempts"][0]["id"]
    os.kill(supervisor_of(yard, attempt_id), signal.SIGKILL)
    build = until(yard, build_id, lambda b: b["state"] == "ready", 30)
    assert build["attempts"][0]["outcome"] == "infrastructure"
    assert build["tries"] == 1
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and _sleeping():
        time.sleep(0.1)
    assert not _sleeping(), "the sandbox ends with its supervisor"
    why = yard.get(f"/builds/{build_id}/why")
    assert "tried again at" in why["summary"]


def _sleeping() -> list[str]:
    found = (_cmdline(path) for path in Path("/proc").glob("[0-9]*/cmdline"))
    return [text for text in found if text.startswith("sleep 4711")]


def test_a_cancelled_build_ends_at_once_with_all_its_processes(
    new_yard: Callable[[], ServedYard], tmp_path: Path
) -> None:
    script = "(setsid sleep 4711 &) ; echo asleep-4711; sleep 4711"
    write_recipe(tmp_path, "sleeper", script=script)
    yard = new_yard()
    build_id = submitted(yard, tmp_path / "sleeper")
    until(yard, build_id, lambda _: "asleep-4711" in log_of(yard, build_id))
    yard.post(f"/builds/{build_id}/cancel", {})
    build = until(yard, build_id, lambda b: b["state"] == "done")
    assert build["outcome"] == "cancelled"
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and _sleeping():
        time.sleep(0.1)
    assert not _sleeping()
