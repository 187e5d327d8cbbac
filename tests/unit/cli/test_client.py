from __future__ import annotations

import httpx
import pytest

from forgeyard.cli.client import Client, ServerUnreachable, _events, problem_of
from forgeyard.cli.problems import exit_code_of, report
from forgeyard.errors import (
    BadInput,
    Conflict,
    Forbidden,
    ForgeyardError,
    NotFound,
    Unauthenticated,
    Unavailable,
)


@pytest.mark.parametrize(
    ("status", "kind", "exit_code"),
    [
        (401, Unauthenticated, 3),
        (403, Forbidden, 3),
        (404, NotFound, 2),
        (409, Conflict, 2),
        (422, BadInput, 2),
        (500, Unavailable, 4),
        (503, Unavailable, 4),
    ],
)
def test_a_problem_document_becomes_the_error_that_it_was(
    status: int, kind: type[ForgeyardError], exit_code: int
) -> None:
    error = problem_of(
        httpx.Response(
            status,
            json={
                "title": "Title",
                "code": "recipe_yaml",
                "detail": "not valid YAML",
                "hint": "Look at the line before.",
                "where": {"file": "recipe.yaml", "line": 3, "column": 7},
            },
        )
    )
    assert type(error) is kind
    assert (error.code, error.hint) == ("recipe_yaml", "Look at the line before.")
    assert str(error) == "recipe.yaml:3:7: not valid YAML"
    assert exit_code_of(error) == exit_code


def test_an_answer_that_is_no_problem_document_is_still_understood() -> None:
    error = problem_of(httpx.Response(502, text="<html>bad gateway"))
    assert isinstance(error, Unavailable)
    assert "502" in error.message


def test_errors_go_to_standard_error_with_place_and_hint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report(problem_of(httpx.Response(422, json={"detail": "wrong", "hint": "Do it so."})))
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "error: wrong\nhint: Do it so.\n"


def test_events_are_read_as_the_standard_says() -> None:
    lines = [
        "retry: 1000",
        "",
        "event: line",
        "data: {",
        "data: }",
        "",
        ": still here",
        "",
        "data:x",
        "",
    ]
    assert list(_events(iter(lines))) == [("line", "{\n}"), ("message", "x")]


def test_nobody_answers() -> None:
    with httpx.Client(base_url="http://127.0.0.1:9") as http:
        client = Client("http://127.0.0.1:9", http, None)
        with pytest.raises(ServerUnreachable, match="does not answer") as caught:
            client.get("/status")
    assert exit_code_of(caught.value) == 4


def test_the_token_is_sent_and_none_is_left_out_of_the_query() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=[])

    with httpx.Client(base_url="http://yard", transport=httpx.MockTransport(answer)) as http:
        Client("http://yard", http, "fy_secret").get("/builds", state=None, limit=3)
    assert str(asked[0].url) == "http://yard/api/v1/builds?limit=3"
    assert asked[0].headers["Authorization"] == "Bearer fy_secret"
