"""A yard served by this process: web server and daemon, for ``up``, ``build`` and ``demo``."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path
from types import TracebackType

import msgspec
import uvicorn

from forgeyard.actions.yard import Yard
from forgeyard.cli.place import SERVER_FILE, ServerNote
from forgeyard.daemon.loop import Daemon
from forgeyard.errors import Unavailable
from forgeyard.web.app import create_app

_START_SECONDS = 30.0
#: Streams of events stay open for ever; at the end they are cut.
_GRACE_SECONDS = 2


class Serving:
    """Serves ``yard`` while the ``with`` block runs; ``url`` is where.

    ``port`` None takes the port of the settings if it is free, else any free one; a port
    that was asked for has to be free.  Raises Unavailable.
    """

    def __init__(self, yard: Yard, host: str | None = None, port: int | None = None) -> None:
        self.yard = yard
        settings = yard.settings.server
        self._socket = _listen(host or settings.host, port, settings.port)
        address, number = self._socket.getsockname()[:2]
        self.url = f"http://{_reachable(address)}:{number}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                create_app(yard),
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._serve, name="forgeyard-web", daemon=True)
        self._daemon = Daemon(yard, self.url)

    def __enter__(self) -> Serving:
        self._thread.start()
        try:
            self._wait_until_up()
            self._daemon.start()
        except BaseException:
            self._stop_server()
            raise
        self._note().write_bytes(msgspec.json.encode(ServerNote(pid=os.getpid(), url=self.url)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._note().unlink(missing_ok=True)
        self._daemon.stop()
        self._stop_server()

    @property
    def alive(self) -> bool:
        """Whether the server still answers."""
        return self._thread.is_alive()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    def _stop_server(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=_GRACE_SECONDS + 3)
        self._socket.close()

    def _wait_until_up(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise Unavailable("the web server did not start", code="server_start")
            time.sleep(0.01)

    def _note(self) -> Path:
        return self.yard.directory / SERVER_FILE


def _listen(host: str, port: int | None, preferred: int) -> socket.socket:
    if port is not None:
        return _bind(host, port)
    try:
        return _bind(host, preferred)
    except Unavailable:
        return _bind(host, 0)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise Unavailable(
            f"{host} is not an address of this machine: {error.strerror}", code="address_unknown"
        ) from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"cannot serve on {host}:{port}: {error.strerror}",
            code="address_in_use",
            hint="Choose another with --port, or in [server] of forgeyard.toml.",
        ) from error
    return listener


def _reachable(address: str) -> str:
    """An address that a client on this machine can use."""
    if address in ("0.0.0.0", "::"):  # noqa: S104
        return "127.0.0.1"
    return f"[{address}]" if ":" in address else address
