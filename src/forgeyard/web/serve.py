"""Serve an application with uvicorn, in one process, without a word on the terminal."""

from __future__ import annotations

import socket
import threading
import time

import uvicorn
from fastapi import FastAPI

from forgeyard.errors import Unavailable
from forgeyard.web.live import Live

_START_SECONDS = 30.0
_GRACE_SECONDS = 3


class Server(uvicorn.Server):
    """A server that ends its streams of events before it waits for open requests."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._live: Live = app.state.live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let open pages go, then stop."""
        self._live.close()
        await super().shutdown(sockets)


class BackgroundServer:
    """Serves an application from a thread while the ``with`` block runs; ``url`` is where."""

    def __init__(self, app: FastAPI, host: str = "127.0.0.1", port: int = 0) -> None:
        self._socket = listen(host, port)
        address, number = self._socket.getsockname()[:2]
        self.url = f"http://{f'[{address}]' if ':' in address else address}:{number}"
        self._server = Server(app)
        self._thread = threading.Thread(target=self._run, name="forgeyard-web", daemon=True)

    def __enter__(self) -> BackgroundServer:
        self._thread.start()
        end = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > end:
                raise Unavailable("the web server did not start", code="server_start")
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=_GRACE_SECONDS + 3)
        self._socket.close()

    @property
    def alive(self) -> bool:
        """Whether the server goes on serving."""
        return self._thread.is_alive()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.  Raises Unavailable.

    It states its protocol: asyncio sets TCP_NODELAY only where the protocol is TCP's by
    number, and without it every answer on a kept connection waits 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"cannot serve on {host}:{port}: {error.strerror}", code="address_in_use"
        ) from error
    return listener
