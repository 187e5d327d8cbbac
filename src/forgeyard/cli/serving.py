"""A yard served by this process: web server and daemon, for ``up``, ``build`` and ``demo``."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import msgspec

from forgeyard.actions.yard import Yard
from forgeyard.cli.place import SERVER_FILE, ServerNote
from forgeyard.daemon.loop import Daemon
from forgeyard.errors import Unavailable
from forgeyard.web.app import create_app
from forgeyard.web.serve import BackgroundServer


class Serving:
    """Serves ``yard`` while the ``with`` block runs; ``url`` is where.

    ``port`` None takes the port of the settings if it is free, else any free one; a port
    that was asked for has to be free.  Raises Unavailable.
    """

    def __init__(self, yard: Yard, host: str | None = None, port: int | None = None) -> None:
        self.yard = yard
        settings = yard.settings.server
        self._web = _server(yard, host or settings.host, port, settings.port)
        self.url = _reachable(self._web.url)
        self._open = ExitStack()

    def __enter__(self) -> Serving:
        with ExitStack() as stack:
            stack.enter_context(self._web)
            daemon = Daemon(self.yard, self.url)
            # Whatever has begun is stopped, even where the start fails half-way.
            stack.callback(daemon.stop)
            daemon.start()
            self._note().write_bytes(msgspec.json.encode(ServerNote(pid=os.getpid(), url=self.url)))
            stack.callback(self._note().unlink, missing_ok=True)
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def alive(self) -> bool:
        """Whether the server still answers."""
        return self._web.alive

    def _note(self) -> Path:
        return self.yard.directory / SERVER_FILE


def _server(yard: Yard, host: str, port: int | None, preferred: int) -> BackgroundServer:
    app = create_app(yard)
    if port is not None:
        return BackgroundServer(app, host, port)
    try:
        return BackgroundServer(app, host, preferred)
    except Unavailable:
        return BackgroundServer(app, host, 0)


def _reachable(url: str) -> str:
    """The address for clients on this machine of a server that listens everywhere."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
