"""The runner API of a yard over ``http.server``, with real storage on disk.

Only for tests of the runner: it keeps to the endpoints, statuses and headers of the real
one, and can be told to go away, to forget an attempt or to change tokens.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec

from forgeyard.builds.job import Job, JobResult


class YardDouble:
    """One yard on a port of the loopback interface."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.objects = root / "objects"
        self.objects.mkdir(parents=True)
        self.channel = root / "channels" / "main"
        self.channel.mkdir(parents=True)
        self.tokens: dict[str, str] = {}
        self.jobs: dict[str, Job] = {}
        self.logs: dict[str, bytes] = {}
        self.phases: dict[str, list[dict[str, Any]]] = {}
        self.results: dict[str, JobResult] = {}
        self.heartbeats: dict[str, int] = {}
        self.cancelled: set[str] = set()
        self.gone: set[str] = set()
        self.next_token: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def channel_url(self) -> str:
        return f"{self.url}/channels/main"

    def start(self) -> None:
        double = self

        class Handler(_Handler):
            yard = double

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            for connection in self._server.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(2)
                connection.close()
            self._server = None

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        (self.objects / digest).write_bytes(data)
        return digest

    def has(self, digest: str) -> bool:
        return (self.objects / digest).exists()

    def lines(self, attempt: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.logs.get(attempt, b"").splitlines()]

    def text(self, attempt: str) -> str:
        return "\n".join(line["m"] for line in self.lines(attempt))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connections: list[Any] = []

    def get_request(self) -> Any:
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    yard: YardDouble
    protocol_version = "HTTP/1.1"
    #: One packet per answer.
    wbufsize = -1

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, status: int, body: bytes = b"{}") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self) -> None:
        if self.path.startswith("/channels/main/"):
            self._file(self.yard.channel / self.path.removeprefix("/channels/main/").split("?")[0])
            return
        attempt, rest = self._attempt(b"")
        if attempt is None:
            return
        job = self.yard.jobs[attempt]
        if rest == "/job":
            self._answer(200, msgspec.json.encode(job))
            return
        digest = job.feedstock if rest == "/feedstock" else rest.rsplit("/", 1)[-1]
        if rest.startswith("/artifacts/") and digest not in {a.sha256 for a in job.artifacts}:
            self._answer(404)
            return
        self._file(self.yard.objects / digest)

    def _file(self, path: Path) -> None:
        if path.is_file():
            self._answer(200, path.read_bytes())
        else:
            self._answer(404)

    def do_PUT(self) -> None:
        body = self._body()
        attempt, rest = self._attempt(body)
        if attempt is None:
            return None
        digest = hashlib.sha256(body).hexdigest()
        expected = self.headers.get("X-Content-SHA256") or rest.rsplit("/", 1)[-1]
        if digest != expected:
            return self._answer(422)
        self.yard.put(body)
        self._answer(200, json.dumps({"sha256": digest, "size": len(body)}).encode())
        return None

    def do_POST(self) -> None:
        body = self._body()
        attempt, rest = self._attempt(body)
        if attempt is None:
            return None
        yard = self.yard
        if match := re.fullmatch(r"/log\?offset=(\d+)", rest):
            has = yard.logs.get(attempt, b"")
            offset = int(match.group(1))
            if offset != len(has):
                return self._answer(409, json.dumps({"size": len(has)}).encode())
            yard.logs[attempt] = has + body
            return self._answer(200, json.dumps({"size": len(has) + len(body)}).encode())
        if rest == "/phase":
            yard.phases.setdefault(attempt, []).append(json.loads(body))
        elif rest == "/heartbeat":
            yard.heartbeats[attempt] = yard.heartbeats.get(attempt, 0) + 1
            token = yard.next_token.pop(attempt, None)
            if token is not None:
                yard.tokens[attempt] = token
            answer = {"cancel": attempt in yard.cancelled, "token": token}
            return self._answer(200, json.dumps(answer).encode())
        elif rest == "/result":
            yard.results[attempt] = msgspec.json.decode(body, type=JobResult)
        else:
            return self._answer(404)
        return self._answer(200)

    def _attempt(self, body: bytes) -> tuple[str | None, str]:
        match = re.fullmatch(r"/api/v1/runner/attempts/([^/]+)(/.*)", self.path)
        if match is None or match.group(1) not in self.yard.jobs:
            self._answer(404)
            return None, ""
        attempt, rest = match.groups()
        self.yard.requests.append((self.command, rest))
        if attempt in self.yard.gone:
            self._answer(410)
            return None, ""
        if self.headers.get("Authorization") != f"Bearer {self.yard.tokens[attempt]}":
            self._answer(401)
            return None, ""
        return attempt, rest
