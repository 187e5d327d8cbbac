"""Commands that build: with a server of their own, and with one that runs already."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from yards import write_recipe

Forgeyard = Callable[..., Any]
pytestmark = pytest.mark.slow
ENTRY = "from forgeyard.cli.main import entry; entry()"


@pytest.fixture
def feedstocks(tmp_path: Path) -> Path:
    folder = tmp_path / "feedstocks"
    folder.mkdir()
    return folder


def test_fail_repair_publish_and_nothing_more_to_do(
    forgeyard: Forgeyard, yard: Path, feedstocks: Path
) -> None:
    write_recipe(feedstocks, "alpha", test="test -f $PREFIX/share/nothing")
    forgeyard("feedstock", "add", feedstocks)
    failed = forgeyard("build", "alpha", "--json")
    assert failed.code == 1
    (ended,) = failed.data["ended"]
    assert ended["outcome"] == "failed"
    assert "failed     alpha 1.0" in failed.err
    why = forgeyard("why", ended["id"])
    assert "failed in:      test" in why.out
    log = forgeyard("build", "logs", ended["id"], "--stage", "test")
    assert "share/nothing" in log.out
    again = forgeyard("build", "alpha")
    assert again.code == 1
    assert "ended as failed with the same inputs" in again.err

    write_recipe(feedstocks, "alpha")
    repaired = forgeyard("build", "alpha")
    assert repaired.code == 0, repaired.err
    assert "all done: published 1" in repaired.err
    idle = forgeyard("build", "--all")
    assert idle.code == 0
    assert "nothing has changed" in idle.err

    (package,) = forgeyard("channel", "packages", "--json").data
    assert package["name"] == "alpha"
    files = forgeyard("channel", "packages", "alpha", "--json").data["files"]
    shown = forgeyard("artifact", "show", files[0]["filename"])
    assert files[0]["sha256"] in shown.out
    assert shown.out.count("good") == 2
    held = forgeyard("artifact", "show", files[0]["sha256"], "--files")
    assert "share/alpha" in held.out
    forced = forgeyard("build", "alpha", "--force")
    assert "all done: unchanged 1" in forced.err
    assert not (yard / "server.json").exists()


@pytest.fixture
def server(yard: Path) -> Iterator[subprocess.Popen[str]]:
    """``forgeyard up`` in a process of its own."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from forgeyard.cli.main import entry; entry()",
            "up",
            "--port",
            "0",
        ],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"FORGEYARD_YARD": str(yard)},
    )
    end = time.monotonic() + 30
    with process:
        while not (yard / "server.json").exists():
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        yield process
        process.kill()


def test_commands_use_the_server_that_runs(
    forgeyard: Forgeyard, yard: Path, feedstocks: Path, server: subprocess.Popen[str]
) -> None:
    url = json.loads((yard / "server.json").read_text())["url"]
    write_recipe(
        feedstocks,
        "alpha",
        script=["sleep 1", "mkdir -p $PREFIX/share", "echo hello > $PREFIX/share/alpha"],
    )
    forgeyard("feedstock", "add", feedstocks)
    submitted = forgeyard("build", "alpha", "--no-wait", "--json").data["builds"][0]
    followed = forgeyard("build", "logs", "--follow", submitted["id"])
    assert followed.code == 0
    assert "sleep 1" in followed.out
    shown = forgeyard("build", "show", submitted["id"], "--json").data
    assert shown["outcome"] == "succeeded"
    assert forgeyard("build", "list", "--server", url, "--json").data[0]["id"] == submitted["id"]
    assert f"{url}/channels/main" in forgeyard("channel", "show", "main").out

    second = forgeyard("up", yard, "--port", "0")
    assert second.code == 4
    assert "another server runs this yard" in second.err

    server.send_signal(signal.SIGINT)
    _, said = server.communicate(timeout=20)
    assert server.returncode == 0
    assert "stopping" in said
    assert not (yard / "server.json").exists()
    assert forgeyard("build", "list", "--json").data[0]["id"] == submitted["id"]


def test_a_note_left_by_a_killed_server_misleads_nobody(
    forgeyard: Forgeyard, yard: Path, server: subprocess.Popen[str]
) -> None:
    server.kill()
    server.wait()
    assert (yard / "server.json").exists()
    assert forgeyard("build", "list").code == 0


def test_a_port_in_use_is_named(
    forgeyard: Forgeyard, yard: Path, server: subprocess.Popen[str], tmp_path: Path
) -> None:
    port = json.loads((yard / "server.json").read_text())["url"].rsplit(":", 1)[1]
    forgeyard("init", tmp_path / "other")
    said = forgeyard("up", tmp_path / "other", "--port", port)
    assert said.code == 4
    assert f"127.0.0.1:{port}" in said.err


def test_an_interrupted_build_is_taken_over_at_another_address(
    forgeyard: Forgeyard, yard: Path, feedstocks: Path
) -> None:
    script = ["sleep 3", "mkdir -p $PREFIX/share", "echo hello > $PREFIX/share/alpha"]
    write_recipe(feedstocks, "alpha", script=script)
    forgeyard("feedstock", "add", feedstocks)
    first = _free_port()
    with subprocess.Popen(
        [sys.executable, "-c", ENTRY, "build", "alpha"],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"FORGEYARD_YARD": str(yard), "FORGEYARD_SERVER_PORT": str(first)},
    ) as interrupted:
        assert interrupted.stderr is not None
        while "building" not in interrupted.stderr.readline():
            assert interrupted.poll() is None
        interrupted.send_signal(signal.SIGINT)
        assert interrupted.wait(timeout=30) == 130
    # The old port answers, but it is not the yard any more.
    with socket.create_server(("127.0.0.1", first)):
        again = forgeyard("build", "alpha")
    assert again.code == 0, again.err
    assert "1 package is on the way already" in again.err
    assert "all done: published 1" in again.err
    (build,) = forgeyard("build", "list", "--json").data
    shown = forgeyard("build", "show", build["id"], "--json").data
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["succeeded", "succeeded"]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
