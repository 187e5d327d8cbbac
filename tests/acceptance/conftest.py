"""Yards with a server of their own process, as users run them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.served_yard import ServedYard

SETTINGS = """\
[yard]
name = "Acceptance"
[server]
port = {port}
[pools.local]
cpu = 2
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def new_yard(tmp_path: Path) -> Iterator[Callable[[str], ServedYard]]:
    """Makes started yards; ``more`` is added to the settings."""
    made: list[ServedYard] = []

    def make(more: str = "") -> ServedYard:
        folder = tmp_path / f"yard{len(made)}"
        yard = ServedYard(folder, SETTINGS.format(port=free_port()) + more)
        yard.start()
        made.append(yard)
        return yard

    yield make
    for yard in made:
        yard.stop()
