"""The runner's side of the yard's runner API (HTTP/1.1, RFC 9112; bearer tokens, RFC 6750).

``http.client`` and nothing more: a supervisor starts for every attempt and has to be
quick.  One client keeps one connection and belongs to one thread.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from forgeyard.errors import ForgeyardError, Unavailable

_Answer = TypeVar("_Answer")

_CHUNK = 1 << 18
_TIMEOUT_SECONDS = 60.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 15.0


class AttemptEnded(ForgeyardError):
    """The yard says that this attempt is no longer the current one (HTTP 410)."""

    code = "attempt_ended"


class Refused(ForgeyardError):
    """The yard understood and said no."""

    code = "refused"

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"the yard answered {status}: {body[:500].decode(errors='replace')}")
        self.status = status
        self.body = body


class YardClient:
    """Speaks for one attempt.  While the yard is away, requests wait and try again."""

    def __init__(
        self,
        server: Callable[[], str],
        attempt_id: str,
        token: Callable[[], str],
        *,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._server = server
        self._attempt_id = attempt_id
        self._token = token
        self._should_stop = should_stop
        self._connection: http.client.HTTPConnection | None = None
        #: What the connection leads to.
        self._connected_to = ""

    # ---- the endpoints

    def job(self) -> bytes:
        """The job as JSON."""
        return self._ask("GET", "/job")

    def download_feedstock(self, into: Path) -> None:
        """The feedstock's archive."""
        self._download("/feedstock", into)

    def download_source(self, sha256: str, into: Path) -> bool:
        """False when the yard's mirror does not have it."""
        return self._download(f"/sources/{sha256}", into)

    def upload_source(self, sha256: str, path: Path) -> None:
        """Give the mirror a file."""
        self._upload(f"/sources/{sha256}", path, {})

    def download_artifact(self, sha256: str, into: Path) -> bool:
        """A package file that the job names; false when the yard does not have it."""
        return self._download(f"/artifacts/{sha256}", into)

    def upload_artifact(self, subdir: str, filename: str, path: Path, sha256: str) -> None:
        """Hand in a package file; the yard checks the digest."""
        place = f"/artifacts/{subdir}/{urllib.parse.quote(filename)}"
        self._upload(place, path, {"X-Content-SHA256": sha256})

    def append_log(self, offset: int, data: bytes, *, tries: int | None = None) -> int:
        """How many bytes of the log the yard has now."""
        try:
            answer = self._ask("POST", f"/log?offset={offset}", data, tries=tries)
        except Refused as refusal:
            if refusal.status != 409:
                raise
            answer = refusal.body
        return int(json.loads(answer)["size"])

    def phase(self, phase: str, at: float, *, tries: int | None = None) -> None:
        """Tell that a phase began at this time (seconds since 1970)."""
        self._ask("POST", "/phase", json.dumps({"phase": phase, "at": at}).encode(), tries=tries)

    def heartbeat(self, *, tries: int | None = None) -> dict[str, Any]:
        """``cancel``: whether to stop; ``token``: a new one, or null."""
        answer: dict[str, Any] = json.loads(self._ask("POST", "/heartbeat", b"{}", tries=tries))
        return answer

    def result(self, body: bytes) -> None:
        """Hand in the result; again and again changes nothing."""
        self._ask("POST", "/result", body)

    def close(self) -> None:
        """Drop the connection; the next request makes a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ---- the wire

    def _ask(
        self, method: str, place: str, body: bytes | None = None, *, tries: int | None = None
    ) -> bytes:
        log = place.startswith("/log")
        kind = "application/octet-stream" if log else "application/json"

        def once() -> bytes:
            with self._answer(method, place, body, {"Content-Type": kind}) as response:
                return _read_good(response)

        return self._patiently(once, tries)

    def _download(self, place: str, into: Path) -> bool:
        def once() -> bool:
            with self._answer("GET", place, None, {}) as response:
                if response.status == 404:
                    response.read()
                    return False
                if response.status >= 400:
                    _read_good(response)
                with into.open("wb") as file:
                    while chunk := response.read(_CHUNK):
                        file.write(chunk)
                return True

        return self._patiently(once, None)

    def _upload(self, place: str, path: Path, headers: dict[str, str]) -> None:
        headers = {**headers, "Content-Length": str(path.stat().st_size)}

        def once() -> None:
            with path.open("rb") as file, self._answer("PUT", place, file, headers) as answer:
                _read_good(answer)

        self._patiently(once, None)

    def _patiently(self, once: Callable[[], _Answer], tries: int | None) -> _Answer:
        pause = _FIRST_PAUSE_SECONDS
        tried = 0
        while True:
            try:
                return once()
            except (OSError, http.client.HTTPException) as problem:
                self.close()
                reason = str(problem) or type(problem).__name__
            except Refused as refusal:
                # 401: the token ran out while the yard was away; renew writes a new one.
                if refusal.status != 401 and refusal.status < 500:
                    raise
                reason = refusal.message
            tried += 1
            if self._should_stop() or (tries is not None and tried >= tries):
                raise Unavailable(f"the yard is not reachable: {reason}", code="yard_away")
            if tried > 1 or tries is not None:  # a dropped keep-alive connection is no outage
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    @contextmanager
    def _answer(
        self, method: str, place: str, body: Any, headers: dict[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        connection = self._connected()
        try:
            connection.request(
                method,
                self._path(place),
                body=body,
                headers={"Authorization": f"Bearer {self._token()}", **headers},
            )
            response = connection.getresponse()
            if response.status == 410:
                response.read()
                raise AttemptEnded("this attempt is no longer the current one")
            yield response
        except BaseException:
            self.close()  # half-read answers would confuse the next request
            raise
        if response.will_close:
            self.close()

    def _path(self, place: str) -> str:
        prefix = urllib.parse.urlsplit(self._server()).path.rstrip("/")
        return f"{prefix}/api/v1/runner/attempts/{self._attempt_id}{place}"

    def _connected(self) -> http.client.HTTPConnection:
        server = self._server()
        if server != self._connected_to:
            self.close()  # the yard has moved; what answers there now may be another's
        if self._connection is None:
            parts = urllib.parse.urlsplit(server)
            https = parts.scheme == "https"
            kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
            options: dict[str, Any] = {"timeout": _TIMEOUT_SECONDS}
            if https:
                options["context"] = ssl.create_default_context()
            self._connection = kind(parts.hostname or "localhost", parts.port, **options)
            self._connected_to = server
            self._connection.connect()
            if self._connection.sock is not None:
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._connection


def _read_good(response: http.client.HTTPResponse) -> bytes:
    body = response.read()
    if response.status >= 400:
        raise Refused(response.status, body)
    return body
