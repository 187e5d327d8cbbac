"""``forgeyard up``."""

from __future__ import annotations

import signal
import threading

import click


@click.command(short_help="Serve a yard: web page, API, channel and builds.")
@click.argument("directory", required=False, metavar="[DIR]")
@click.option("--host", help="Address to listen on; else [server] host of forgeyard.toml.")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes any free port.")
def up(directory: str | None, host: str | None, port: int | None) -> None:
    """Serve the yard in DIR: web page, API, channel and builds, until Ctrl-C.

    Builds that run when the server stops go on; the next 'up' takes them over.
    """
    from forgeyard.cli.place import find_directory

    folder = find_directory(directory)
    from forgeyard.actions.yard import Yard
    from forgeyard.cli.machine_checks import machine_findings
    from forgeyard.cli.problems import say_problem
    from forgeyard.cli.serving import Serving
    from forgeyard.cli.show import say, style
    from forgeyard.errors import Unavailable
    from forgeyard.telemetry import configure_logging

    configure_logging()
    for finding in machine_findings(folder):
        # The channel and the pages are there all the same.
        say_problem(None, finding["message"], finding["hint"])
    yard = Yard.open(folder)
    asked = yard.settings.server.port if port is None else port
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        with Serving(yard, host, asked) as serving:
            say(f"{style(yard.settings.yard.name, 'head', err=True)} is up")
            say(f"  page     {serving.url}")
            say(f"  channel  {serving.url}/channels/{yard.settings.yard.channel}")
            say(f"  API      {serving.url}/api/v1")
            say("Ctrl-C stops the server; builds that run go on and are taken over next time.")
            while not stopping.wait(0.5):
                if not serving.alive:
                    raise Unavailable("the web server has ended", code="server_ended")
            say("stopping…")
    finally:
        yard.close()
