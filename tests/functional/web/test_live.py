"""Streams over a real server: how soon, how many, and how they end."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from forgeyard.actions.feedstocks import add_feedstock
from forgeyard.actions.submit import submit
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.store.reading import changes
from forgeyard.web.app import create_app
from forgeyard.web.serve import BackgroundServer
from scenarios.busy_yard import BusyYard
from scenarios.played_runner import Play, Runner
from yards import TestYard, write_recipe


class World:
    """Two builds that run, behind a real server."""

    def __init__(self, place: TestYard, http: httpx.Client) -> None:
        for name in ("first", "second"):
            write_recipe(place.feedstocks, name)
        add_feedstock(place.yard, place.owner, str(place.feedstocks))
        submit(place.yard, place.owner)
        self.play = Play(place.yard, http)
        self.running = {runner.job.name: runner for runner in self.play.dispatch()}
        for runner in self.running.values():
            runner.phase("build", time.time())
            runner.log("build", "it begins")


@pytest.fixture
def served(place: TestYard) -> Iterator[tuple[World, str]]:
    with (
        BackgroundServer(create_app(place.yard)) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        yield World(place, client), server.url


def fail(runner: Runner) -> None:
    runner.end(Outcome.FAILED, Failure(code="script_failed", message="no"))


class Heard:
    """Events of a stream with the moment each came."""

    def __init__(self) -> None:
        self.events: list[tuple[float, str, Any]] = []
        self.open = threading.Event()
        self.ended = threading.Event()
        self.socket: Any = None

    def wait_for(self, event: str, seconds: float = 5.0) -> tuple[float, Any]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for at, name, data in self.events:
                if name == event:
                    return at, data
            time.sleep(0.005)
        raise AssertionError(f"no {event} in {self.events}")


@contextmanager
def listening(url: str) -> Iterator[Heard]:
    heard, client = Heard(), httpx.Client(trust_env=False, timeout=None)

    def listen() -> None:
        name = ""
        try:
            with client.stream("GET", url) as answer:
                stream = answer.extensions["network_stream"]
                heard.socket = stream.get_extra_info("socket")
                heard.open.set()
                for line in answer.iter_lines():
                    if line.startswith("event: "):
                        name = line[7:]
                    elif line.startswith("data: "):
                        heard.events.append((time.monotonic(), name, json.loads(line[6:])))
        except httpx.TransportError:
            pass
        heard.ended.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert heard.open.wait(5)
    time.sleep(0.3)
    yield heard
    with suppress(OSError):
        heard.socket.shutdown(socket.SHUT_RDWR)
    assert heard.ended.wait(5)
    client.close()


def test_a_change_is_heard_within_a_second(served: tuple[World, str]) -> None:
    world, url = served
    runner = world.running["first"]
    with listening(f"{url}/api/v1/events") as heard:
        began = time.monotonic()
        fail(runner)
        at, data = heard.wait_for("build")
        assert (data["id"], data["name"]) == (runner.job.build_id, "first")
        assert at - began < 2.0
        fail(world.running["second"])
        _, counts = heard.wait_for("counts")
        assert "failed" in counts


def test_a_listener_to_one_build_hears_that_one_only(served: tuple[World, str]) -> None:
    world, url = served
    watched = world.running["second"].job.build_id
    with listening(f"{url}/api/v1/events?build={watched}") as heard:
        fail(world.running["first"])
        time.sleep(0.5)
        assert heard.events == []
        fail(world.running["second"])
        _, data = heard.wait_for("build")
        assert (data["id"], data["outcome"]) == (watched, "failed")


def test_log_lines_come_in_order_and_the_stream_ends_with_the_build(
    served: tuple[World, str],
) -> None:
    world, url = served
    runner = world.running["second"]
    with listening(f"{url}/api/v1/builds/{runner.job.build_id}/log/stream") as heard:
        before = len(heard.events)
        for number in range(20):
            runner.log("build", f"line {number}")
            end = time.monotonic() + 5
            while len(heard.events) <= before + number and time.monotonic() < end:
                time.sleep(0.002)
            _, name, data = heard.events[before + number]
            assert (name, data["m"]) == ("line", f"line {number}")
        numbers = [data["n"] for _, name, data in heard.events if name == "line"]
        assert numbers == list(range(1, len(numbers) + 1))
        fail(runner)
        heard.wait_for("end")
        assert heard.ended.wait(3)


def test_many_listeners_cost_what_one_costs(
    served: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, url = served
    looks: list[float] = []
    real = changes.look

    def counted(*given: Any) -> changes.Seen:
        looks.append(time.monotonic())
        return real(*given)

    monkeypatch.setattr(changes, "look", counted)
    with ExitStack() as stack:
        everybody = [stack.enter_context(listening(f"{url}/api/v1/events")) for _ in range(8)]
        looks.clear()
        began = time.monotonic()
        fail(world.running["second"])
        for heard in everybody:
            heard.wait_for("build")
        assert len(looks) <= 3 + (time.monotonic() - began) / 0.1


def test_nobody_listening_costs_nothing(
    served: tuple[World, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, url = served
    with listening(f"{url}/api/v1/events"):
        pass
    time.sleep(1.8)
    looks: list[int] = []
    monkeypatch.setattr(changes, "look", lambda *given: looks.append(1))
    world.running["second"].log("build", "still here")
    world.running["second"].phase("upload", time.time())
    time.sleep(1.3)
    assert not looks


def test_the_server_stops_although_people_listen(tmp_path: Path, busy: BusyYard) -> None:
    with BackgroundServer(create_app(busy.place.yard)) as server, ExitStack() as stack:
        build_id = busy.running["sqlite"].job.build_id
        heard = [
            stack.enter_context(listening(f"{server.url}/api/v1/{path}"))
            for path in ("events", f"builds/{build_id}/log/stream")
        ]
        began = time.monotonic()
        server.__exit__()
        assert time.monotonic() - began < 3.5
        assert all(one.ended.wait(1) for one in heard)


def test_answers_on_a_kept_connection_are_quick(busy: BusyYard) -> None:
    """Without TCP_NODELAY each of them would wait 40 ms for an acknowledgement."""
    with (
        BackgroundServer(create_app(busy.place.yard)) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        path = "/channels/main/linux-64/repodata.json.zst"
        etag = {"If-None-Match": client.get(path).headers["etag"]}
        spans = []
        for _ in range(40):
            began = time.monotonic()
            assert client.get(path, headers=etag).status_code == 304
            client.get(path)
            spans.append((time.monotonic() - began) / 2)
        assert sorted(spans)[len(spans) // 2] < 0.03, spans
