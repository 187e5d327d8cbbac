"""``forgeyard demo``: the whole way from recipes to a program that runs."""

from __future__ import annotations

import json
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from forgeyard.cli.client import Client

_DIRECTORY = ".demo"
_OWNER = "demo"
#: What is installed at the end, and run: a C program, a Python program, Python itself.
_INSTALL = ("yardstick", "yard-hello")
_RUN = (
    ("yardstick",),
    ("yard-hello",),
    ("python", "-c", "import sqlite3, ssl; print(sqlite3.sqlite_version, ssl.OPENSSL_VERSION)"),
)


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``examples/demo.yaml``: names of feedstocks."""

    default: tuple[str, ...]
    all: tuple[str, ...]


@click.command(short_help="Build the examples in a yard of their own and try them.")
@click.option("--yard", default=_DIRECTORY, show_default=True, metavar="DIR")
@click.option("--all", "everything", is_flag=True, help="Build all examples, not a choice.")
@click.option("--exit", "leave", is_flag=True, help="End when all is done; do not go on serving.")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes any free port.")
def demo(yard: str, everything: bool, leave: bool, port: int | None) -> int:
    """Build the examples, install them from the served channel, and run them.

    The yard stays: a second run builds only what has changed since.
    """
    from forgeyard.actions.yard import Yard
    from forgeyard.cli.client import connect
    from forgeyard.cli.place import Place, stored_token
    from forgeyard.cli.serving import Serving
    from forgeyard.cli.show import say
    from forgeyard.telemetry import configure_logging

    configure_logging(logging.WARNING)
    directory, began = Path(yard).absolute(), time.monotonic()
    prepare(directory)
    opened = Yard.open(directory)
    try:
        with Serving(opened, port=port) as serving:
            say(f"the yard's page: {serving.url}")
            place = Place(directory=directory, token=stored_token(directory))
            with connect(place) as client:
                code = carry_out(client, load_plan(), directory, everything=everything)
            say(f"took {_took(began)}")
            if not leave:
                _serve_until_asked(serving)
    finally:
        opened.close()
    return code


def load_plan() -> Plan:
    """What the demo builds."""
    from ruamel.yaml import YAML

    from forgeyard.cli.example_files import examples_folder

    document = YAML(typ="safe", pure=True).load((examples_folder() / "demo.yaml").read_text())
    return msgspec.convert(document, Plan)


def prepare(directory: Path) -> None:
    """The demo's yard, made or brought up to date with the examples' pinning."""
    from forgeyard.cli.example_files import base_pinning
    from forgeyard.cli.init import MACHINE_FILE, make_yard, settings_text
    from forgeyard.cli.machine_checks import require_sandbox
    from forgeyard.cli.place import YARD_FILE
    from forgeyard.cli.toolchain import detect
    from forgeyard.errors import Unavailable

    require_sandbox()
    toolchain = detect()
    if toolchain.lacking:
        raise Unavailable(
            f"this machine has no {' and no '.join(toolchain.lacking)}",
            code="no_compiler",
            hint="Install gcc and g++ (on Debian and Ubuntu: apt-get install gcc g++).",
        )
    if not (directory / YARD_FILE).exists():
        settings = settings_text(
            name="Forgeyard demo", channel="main", platform=toolchain.platform, port=8765
        )
        make_yard(directory, settings, _OWNER, toolchain)
        return
    for file in base_pinning():
        _write_if_new(directory / "pinning" / file.name, file.read_text())
    _write_if_new(directory / "pinning" / MACHINE_FILE, toolchain.pinning())


def carry_out(client: Client, plan: Plan, directory: Path, *, everything: bool) -> int:
    """Add, build, install, run; the exit code."""
    from forgeyard.cli.build_submit import after_submission
    from forgeyard.cli.problems import GOOD
    from forgeyard.cli.show import say

    names = plan.all if everything else plan.default
    for name in names:
        client.post("/feedstocks", {"origin": str(folder_of(name))})
    say(f"{len(names)} feedstocks")
    submission = client.post("/builds", {"feedstocks": list(names), "force": False})
    code = after_submission(client, submission, wait=True, as_json=False)
    if code != GOOD:
        return code
    channel = f"{client.url}/channels/{_channel(client)}"
    return try_out(channel, directory / "installed", directory / "work" / "demo-cache")


def folder_of(name: str) -> Path:
    """Where the example feedstock of that name lies."""
    from forgeyard.cli.example_files import examples_folder

    parents = [examples_folder() / parent for parent in ("base", "feedstocks")]
    return next((p / name for p in parents if (p / name).is_dir()), parents[0] / name)


def try_out(channel: str, prefix: Path, cache: Path) -> int:
    """Install from the channel into a fresh prefix with py-rattler and run the programs."""
    from forgeyard.cli.problems import BUILD_FAILED
    from forgeyard.cli.show import say, style

    began = time.monotonic()
    shutil.rmtree(prefix, ignore_errors=True)
    installed = _install(channel, prefix, _INSTALL, cache)
    if installed is None:
        return BUILD_FAILED
    say(
        f"py-rattler installed {len(installed)} packages from {channel}\n"
        f"into {prefix} in {_took(began)}"
    )
    worst = 0
    for command in _RUN:
        say(style("$ " + shlex.join(command), "head", err=True))
        worst = max(worst, _run(prefix, command))
    return BUILD_FAILED if worst else 0


def _install(
    channel: str, prefix: Path, specs: tuple[str, ...], cache: Path
) -> list[dict[str, Any]] | None:
    done = subprocess.run(
        [sys.executable, "-m", "forgeyard.cli.demo_install", channel, str(prefix), *specs],
        stdout=subprocess.PIPE,
        env={**os.environ, "RATTLER_CACHE_DIR": str(cache)},
        text=True,
        check=False,
    )
    if done.returncode:
        return None
    return [json.loads(line) for line in done.stdout.splitlines()]


def _run(prefix: Path, command: tuple[str, ...]) -> int:
    """Run an installed program; what it prints goes to standard output."""
    environment = {
        "PATH": f"{prefix}/bin:/usr/bin:/bin",
        "CONDA_PREFIX": str(prefix),
        "HOME": str(prefix),
        "LANG": "C.UTF-8",
    }
    sys.stdout.flush()
    program = shutil.which(command[0], path=environment["PATH"]) or command[0]
    try:
        return subprocess.run([program, *command[1:]], env=environment, check=False).returncode
    except OSError as error:
        click.echo(f"error: {command[0]} could not be run: {error.strerror}", err=True)
        return 1


def _channel(client: Client) -> str:
    return str(client.get("/channels")[0]["name"])


def _serve_until_asked(serving: Any) -> None:
    from forgeyard.cli.show import say

    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    say(f"\nserving the page at {serving.url} until Ctrl-C")
    while serving.alive and not stopping.wait(0.5):
        pass


def _write_if_new(file: Path, text: str) -> None:
    if not file.exists() or file.read_text() != text:
        file.write_text(text)


def _took(began: float) -> str:
    from forgeyard.amounts import span

    return span(time.monotonic() - began)
