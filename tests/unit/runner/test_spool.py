"""The log's lines, and the yard's word on where to go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from forgeyard.errors import Unavailable
from forgeyard.runner.spool import Correspondent, Spool
from forgeyard.runner.yard_client import AttemptEnded, YardClient


class Yard:
    """Takes a log like the yard does."""

    def __init__(self, log: bytes = b"") -> None:
        self.log = log
        self.phases: list[str] = []
        self.away = 0
        self.gone = False

    def append_log(self, offset: int, data: bytes, *, tries: int | None = None) -> int:
        if self.gone:
            raise AttemptEnded("gone")
        if self.away:
            self.away -= 1
            raise Unavailable("away")
        if offset == len(self.log):
            self.log += data
        return len(self.log)

    def phase(self, name: str, at: float, *, tries: int | None = None) -> None:
        self.phases.append(name)

    def heartbeat(self, *, tries: int | None = None) -> dict[str, Any]:
        return {"cancel": False, "token": None}


def correspond(yard: Yard, spool: Spool, ended: list[str] | None = None) -> Correspondent:
    return Correspondent(
        cast(YardClient, yard),
        spool,
        heartbeat_seconds=0.05,
        store_token=lambda token: None,
        on_end=(ended if ended is not None else []).append,
    )


def test_one_record_per_line(tmp_path: Path) -> None:
    clock = iter([0.0, 1.25, 2.0])
    spool = Spool(tmp_path / "log", clock=lambda: next(clock))
    spool.write("a\n\tb\x1b[0m")
    spool.phase = "build"
    spool.write("ü", "warn")
    records = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert records == [
        {"t": 1.25, "p": "fetch", "l": "info", "m": "a"},
        {"t": 1.25, "p": "fetch", "l": "info", "m": "\tb\x1b[0m"},
        {"t": 2.0, "p": "build", "l": "warn", "m": "ü"},
    ]
    assert list(spool.tail) == [(1, "a"), (2, "\tb\x1b[0m"), (3, "ü")]
    assert spool.size == (tmp_path / "log").stat().st_size


@pytest.mark.parametrize("away", [0, 3])
def test_everything_arrives_in_order(tmp_path: Path, away: int) -> None:
    spool, yard = Spool(tmp_path / "log"), Yard()
    yard.away = away
    for number in range(1000):
        spool.write(f"line {number} {'x' * 500}")
    correspondent = correspond(yard, spool)
    correspondent.phase("fetch")
    correspondent.start()
    assert correspondent.finish(10)
    assert yard.log == (tmp_path / "log").read_bytes()
    assert yard.phases == ["fetch"]


def test_goes_on_where_the_yard_is(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "log")
    spool.write("one")
    spool.write("two")
    data = (tmp_path / "log").read_bytes()
    yard = Yard(data[:10])
    correspondent = correspond(yard, spool)
    correspondent.start()
    assert correspondent.finish(5)
    assert yard.log == data


def test_end_of_the_attempt_ends_the_thread(tmp_path: Path) -> None:
    spool, yard, ended = Spool(tmp_path / "log"), Yard(), list[str]()
    yard.gone = True
    spool.write("one")
    correspondent = correspond(yard, spool, ended)
    correspondent.start()
    correspondent.join(5)
    assert not correspondent.is_alive()
    assert ended == ["superseded"]
