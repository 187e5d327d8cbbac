"""A client of the yard's HTTP API.

The commands speak to a running server where there is one.  Where there is none, the same
application answers inside this process, so that there is one way in, one check of
permissions and one set of errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from forgeyard.cli.place import Place, server_note
from forgeyard.errors import (
    BadInput,
    Conflict,
    Forbidden,
    ForgeyardError,
    NotFound,
    Unauthenticated,
    Unavailable,
    Where,
)

PREFIX = "/api/v1"
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_OF_STATUS: Mapping[int, type[ForgeyardError]] = {
    400: BadInput,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    422: BadInput,
}


class ServerUnreachable(Unavailable):
    """Nothing answers at the yard's address."""

    code = "server_unreachable"


class Client:
    """Asks a yard.  Errors of the API are raised as the errors of ``forgeyard.errors``."""

    def __init__(
        self, url: str, http: httpx.Client, token: str | None, *, served: bool = True
    ) -> None:
        self.url = url
        #: Whether others can reach ``url`` too.
        self.served = served
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **query: Any) -> Any:
        """The JSON document at ``path``; query values that are None are left out."""
        return self._ask("GET", path, params=_given(query)).json()

    def text(self, path: str, **query: Any) -> str:
        """The same for a text."""
        return self._ask("GET", path, params=_given(query)).text

    def post(self, path: str, body: Any = None) -> Any:
        """Do something; the answer's JSON document, or None where there is no answer."""
        answer = self._ask("POST", path, json=body)
        return answer.json() if answer.content else None

    def delete(self, path: str) -> None:
        """Remove something."""
        self._ask("DELETE", path)

    def events(self, path: str, **query: Any) -> Iterator[tuple[str, str]]:
        """(event, data) pairs of a stream of server-sent events, until it ends."""
        try:
            with self._http.stream(
                "GET",
                PREFIX + path,
                params=_given(query),
                headers={**self._headers, "Accept": "text/event-stream"},
                timeout=httpx.Timeout(None, connect=5.0),
            ) as answer:
                if answer.is_error:
                    answer.read()
                    raise problem_of(answer)
                yield from _events(answer.iter_lines())
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, PREFIX + path, headers=self._headers, **request)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if answer.is_error:
            raise problem_of(answer)
        return answer

    def _unreachable(self, error: Exception) -> ServerUnreachable:
        return ServerUnreachable(
            f"the server at {self.url} does not answer: {error}",
            hint="Start it with 'forgeyard up', or correct the address.",
        )


def problem_of(answer: httpx.Response) -> ForgeyardError:
    """A problem document (RFC 9457) as an error."""
    kind = _OF_STATUS.get(answer.status_code, Unavailable)
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return kind(f"the server answered {answer.status_code}: {answer.text[:200]}")
    place = document.get("where")
    return kind(
        str(document.get("detail") or document.get("title") or answer.reason_phrase),
        code=document.get("code"),
        hint=document.get("hint"),
        where=msgspec.convert(place, Where) if isinstance(place, dict) else None,
    )


@contextmanager
def connect(place: Place) -> Iterator[Client]:
    """A client of the yard: of its server, or of the application in this process."""
    url = place.server or running_server(place.directory)
    if url:
        with httpx.Client(
            base_url=url, timeout=_TIMEOUT, trust_env=place.server is not None
        ) as http:
            yield Client(url, http, place.token)
        return
    from forgeyard.cli.within import application_of

    assert place.directory is not None
    with application_of(place.directory) as http:
        yield Client("http://yard", http, place.token, served=False)


def running_server(directory: Path | None) -> str | None:
    """The address of the server that serves this yard now."""
    note = server_note(directory) if directory else None
    if note is None:
        return None
    try:
        answer = httpx.get(f"{note.url}{PREFIX}/health", timeout=2.0, trust_env=False)
    except httpx.TransportError:
        return None
    return note.url if answer.is_success else None


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    event, data = "message", list[str]()
    for line in lines:
        if not line:
            if data:
                yield event, "\n".join(data)
            event, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            event = value
        elif field == "data":
            data.append(value)
