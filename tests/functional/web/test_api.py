"""The public API: who may, what it answers, and how it says no."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from app_client import AppClient
from forgeyard.store import journal
from scenarios.busy_yard import PACKAGES, BusyYard
from yards import TestYard, write_recipe

API = "/api/v1"


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


class TestOpenApi:
    def test_every_reference_leads_somewhere(self, client: Any) -> None:
        document = client.get(f"{API}/openapi.json").json()
        assert document["openapi"].startswith("3.1")

        def references(node: Any) -> list[str]:
            if isinstance(node, dict):
                own = [node["$ref"]] if "$ref" in node else []
                return own + [r for value in node.values() for r in references(value)]
            return [r for v in node for r in references(v)] if isinstance(node, list) else []

        found = set(references(document))
        assert found
        for reference in found:
            node: Any = document
            for part in reference.removeprefix("#/").split("/"):
                node = node[part]

    def test_every_answer_has_a_form(self, client: Any) -> None:
        document = client.get(f"{API}/openapi.json").json()
        for method, path, operation in operations(document):
            good = {c: r for c, r in operation["responses"].items() if c.startswith("2")}
            assert good, (method, path)
            for code, answer in good.items():
                if code == "204":
                    continue
                kinds = answer["content"]
                schemas = [kind["schema"] for kind in kinds.values()]
                assert schemas and all(schemas), (method, path, answer)
            problem = operation["responses"]["default"]["content"]["application/problem+json"]
            assert problem["schema"]["$ref"].endswith("/ProblemDocument")

    def test_operation_ids_are_unique_and_everything_is_explained(self, client: Any) -> None:
        found = operations(client.get(f"{API}/openapi.json").json())
        ids = [operation["operationId"] for _, _, operation in found]
        assert len(ids) == len(set(ids))
        assert all(operation.get("description") for _, _, operation in found)

    def test_what_is_answered_is_what_is_promised(self, busy: BusyYard, web: Any) -> None:
        """Lists and objects of the answers have the keys that their schemas require."""
        document = web.get(f"{API}/openapi.json").json()
        schemas = document["components"]["schemas"]
        build = busy.failed
        artifact = web.get(f"{API}/channels/main/packages/zlib").json()["files"][0]["sha256"]
        places = {
            "/builds": "/builds",
            "/builds/{build_id}": f"/builds/{build}",
            "/builds/{build_id}/why": f"/builds/{build}/why",
            "/batches/{batch_id}": f"/batches/{web.get(f'{API}/builds').json()[0]['batch']}",
            "/feedstocks": "/feedstocks",
            "/feedstocks/{name}": "/feedstocks/pyyaml",
            "/channels": "/channels",
            "/channels/{name}": "/channels/main",
            "/channels/{name}/packages": "/channels/main/packages",
            "/channels/{name}/packages/{package}": "/channels/main/packages/zlib",
            "/artifacts/{sha256}": f"/artifacts/{artifact}",
            "/artifacts/{sha256}/files": f"/artifacts/{artifact}/files",
            "/artifacts/{sha256}/provenance": f"/artifacts/{artifact}/provenance",
            "/status": "/status",
            "/journal": "/journal",
            "/health": "/health",
        }
        for promised, asked in places.items():
            answer = web.get(API + asked)
            assert answer.status_code == 200, (asked, answer.text)
            told = document["paths"][API + promised]["get"]["responses"]["200"]
            schema = told["content"]["application/json"]["schema"]
            value = answer.json()
            if schema.get("type") == "array":
                assert value, asked
                schema, value = schema["items"], value[0]
            required = schemas[schema["$ref"].rsplit("/", 1)[-1]].get("required", [])
            assert set(required) <= set(value), asked


class TestWho:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/feedstocks"),
            ("DELETE", "/feedstocks/zlib"),
            ("POST", "/builds"),
            ("POST", "/builds/b-1/cancel"),
            ("POST", "/builds/b-1/retry"),
            ("GET", "/tokens"),
            ("POST", "/tokens"),
            ("DELETE", "/tokens/1"),
        ],
    )
    def test_nobody_writes_without_a_token(self, client: Any, method: str, path: str) -> None:
        answer = client.request(method, API + path, json={})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "unauthenticated"

    def test_every_writing_operation_is_in_the_list_above(self, client: Any) -> None:
        """A new endpoint that forgets to ask who is there is found here."""
        for method, path, _ in operations(client.get(f"{API}/openapi.json").json()):
            if method == "get" or "/runner/" in path:
                continue
            filled = path.replace("{", "").replace("}", "")
            answer = client.request(method.upper(), filled, json={})
            assert answer.status_code == 401, (method, path, answer.text)

    def test_a_wrong_token_is_refused_even_for_reading(self, client: Any, owner: Any) -> None:
        wrong = {"Authorization": owner["Authorization"][:-4] + "0000"}
        answer = client.post(f"{API}/builds", json={}, headers=wrong)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_unknown")

    def test_a_bot_with_one_scope_may_do_that_alone(
        self, place: TestYard, client: Any, owner: Any
    ) -> None:
        wish = {"member": "robot", "label": "ci", "scopes": ["build:submit"], "make_bot": True}
        made = client.post(f"{API}/tokens", json=wish, headers=owner)
        assert made.status_code == 201
        bot = {"Authorization": f"Bearer {made.json()['token']}"}
        assert client.post(f"{API}/builds", json={}, headers=bot).status_code == 201
        answer = client.post(f"{API}/feedstocks", json={"origin": "."}, headers=bot)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
        listed = client.get(f"{API}/tokens", headers=owner).json()
        mine = next(t for t in listed if t["member"] == "robot")
        assert mine["scopes"] == ["build:submit"] and "digest" not in mine
        assert client.delete(f"{API}/tokens/{mine['id']}", headers=owner).status_code == 204
        answer = client.post(f"{API}/builds", json={}, headers=bot)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_revoked")

    def test_a_private_yard_shows_nothing_to_strangers(
        self, place: TestYard, client: Any, owner: Any
    ) -> None:
        server = msgspec.structs.replace(place.yard.settings.server, private=True)
        place.yard.settings = msgspec.structs.replace(place.yard.settings, server=server)
        for path in ("/", "/queue", f"{API}/status", f"{API}/builds", "/metrics", "/journal"):
            assert client.get(path).status_code == 401, path
            assert client.get(path, headers=owner).status_code == 200, path
        assert client.get(f"{API}/health").status_code == 200
        assert client.get("/sign-in").status_code == 200


class TestForms:
    def test_another_site_cannot_send_our_forms(self, busy: BusyYard, web: Any) -> None:
        cookie = {"Cookie": f"forgeyard_token={busy.place.token}"}
        for headers in (
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "same-site", "Origin": "http://other.testserver"},
            {},
        ):
            answer = web.post(f"/builds/{busy.failed}/cancel", headers={**cookie, **headers})
            assert answer.status_code == 403, headers
            assert answer.json()["code"] == "cross_site"
        own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
        answer = web.post(f"/builds/{busy.failed}/cancel", headers={**cookie, **own})
        assert answer.json()["code"] == "build_ended"

    def test_signing_in_leads_only_to_our_own_pages(self, busy: BusyYard, web: Any) -> None:
        own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
        for to in ("//evil.example", "https://evil.example", "/\\evil.example"):
            form = {"token": busy.place.token, "to": to}
            answer = web.post("/sign-in", data=form, headers=own)
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie
        web.cookies.clear()
        answer = web.post("/sign-in", data={"token": "fy_x_y"}, headers=own)
        assert answer.status_code == 401 and "set-cookie" not in answer.headers


class TestFeedstocksAndBuilds:
    def test_from_a_folder_to_a_queue(self, place: TestYard, client: Any, owner: Any) -> None:
        write_recipe(place.feedstocks, "base")
        write_recipe(place.feedstocks, "app", run=("base",))
        added = client.post(
            f"{API}/feedstocks", json={"origin": str(place.feedstocks)}, headers=owner
        )
        assert added.status_code == 201
        assert [(a["name"], a["changed"]) for a in added.json()] == [("app", True), ("base", True)]
        submission = client.post(f"{API}/builds", json={"feedstocks": []}, headers=owner).json()
        assert {b["name"] for b in submission["builds"]} == {"app", "base"}
        batch = client.get(f"{API}/batches/{submission['batch']}").json()
        assert (batch["total"], batch["counts"]) == (2, {"ready": 1, "waiting": 1})
        assert batch["percent"] == 0 and batch["seconds_left"] > 0
        app = next(b["id"] for b in submission["builds"] if b["name"] == "app")
        why = client.get(f"{API}/builds/{app}/why").json()
        assert why["summary"].startswith("waits for base")
        base = next(b["id"] for b in submission["builds"] if b["name"] == "base")
        ended = client.post(f"{API}/builds/{base}/cancel", headers=owner).json()
        assert ended["outcome"] == "cancelled"
        assert client.get(f"{API}/builds/{app}").json()["outcome"] == "dependency_failed"
        again = client.post(f"{API}/builds/{base}/cancel", headers=owner)
        assert (again.status_code, again.json()["code"]) == (409, "build_ended")
        assert client.delete(f"{API}/feedstocks/app", headers=owner).status_code == 204
        assert client.get(f"{API}/feedstocks/app").status_code == 404
        with place.yard.store.read() as connection:
            actions = [entry.action for entry in journal.entries(connection)]
        assert actions[-1] == "feedstock.remove"

    def test_a_broken_recipe_names_file_and_line(
        self, place: TestYard, client: Any, owner: Any
    ) -> None:
        folder = write_recipe(place.feedstocks, "bad")
        (folder / "recipe.yaml").write_text("package:\n  name: [bad\n")
        answer = client.post(f"{API}/feedstocks", json={"origin": str(folder)}, headers=owner)
        assert answer.status_code == 422
        problem = answer.json()
        assert problem["code"] == "recipe_yaml" and problem["where"]["line"] >= 2
        assert problem["hint"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [({"feedstocks": "zlib"}, "feedstocks"), ({"feedstock": []}, None), ([], None)],
    )
    def test_a_wrong_body_is_told_apart(
        self, client: Any, owner: Any, body: Any, field: str | None
    ) -> None:
        answer = client.post(f"{API}/builds", json=body, headers=owner)
        assert (answer.status_code, answer.json()["code"]) == (422, "body_invalid")
        assert answer.json().get("where", {}).get("field") == field

    def test_broken_json_and_wrong_queries_are_problems_too(self, client: Any, owner: Any) -> None:
        answer = client.post(
            f"{API}/builds",
            content=b"{",
            headers={**owner, "Content-Type": "application/json"},
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
        answer = client.get(f"{API}/builds?limit=0")
        assert answer.json()["where"]["field"] == "limit"

    def test_lists_can_be_narrowed(self, busy: BusyYard, web: Any) -> None:
        def names(query: str) -> set[str]:
            return {b["name"] for b in web.get(f"{API}/builds?{query}").json()}

        assert names("state=running") == set(busy.running)
        assert names("state=failed") == {"pyyaml"}
        assert names("state=waiting,failed") == {"pyyaml", "lxml"}
        assert names("feedstock=zlib") == {"zlib"}
        assert len(web.get(f"{API}/builds?limit=3").json()) == 3

    def test_running_builds_have_progress_and_time_left(self, busy: BusyYard, web: Any) -> None:
        build = web.get(f"{API}/builds/{busy.running['sqlite'].job.build_id}").json()
        assert 0.3 < build["progress"] < 0.9
        assert 100 < build["seconds_left"] < 300
        waiting = web.get(f"{API}/builds?state=waiting").json()[0]
        assert waiting["seconds_to_start"] > 100
        assert waiting["seconds_left"] > waiting["seconds_to_start"]


class TestLogs:
    def test_as_lines_as_text_and_from_a_line_on(self, busy: BusyYard, web: Any) -> None:
        place = f"{API}/builds/{busy.failed}/log"
        whole = [msgspec.json.decode(line) for line in web.get(place).content.splitlines()]
        assert whole[0]["p"] == "fetch" and {"t", "p", "l", "m"} == set(whole[0])
        assert any("\x1b[1;31merror" in line["m"] for line in whole)
        text = web.get(f"{place}?text=1")
        assert "error:" in text.text and "\x1b" not in text.text
        later = web.get(f"{place}?from={len(whole)}").content.splitlines()
        assert len(later) == 1
        assert web.get(f"{place}?stage=test").content == b""

    def test_a_stream_of_what_has_ended_ends(self, busy: BusyYard, web: Any) -> None:
        answer = web.get(f"{API}/builds/{busy.failed}/log/stream")
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = [e for e in answer.text.split("\n\n") if e]
        assert events[-1].startswith("event: end")
        lines = [msgspec.json.decode(e.split("data: ", 1)[1]) for e in events[:-1]]
        assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))

    def test_an_unknown_build_has_no_stream(self, web: Any) -> None:
        assert web.get(f"{API}/builds/b-nope/log/stream").status_code == 404


class TestArtifacts:
    def test_provenance_names_inputs_locks_and_signatures(self, busy: BusyYard, web: Any) -> None:
        package = web.get(f"{API}/channels/main/packages/python").json()
        assert {need["name"] for need in package["needed_by"]} == {"markupsafe"}
        sha256 = package["files"][0]["sha256"]
        told = web.get(f"{API}/artifacts/{sha256}/provenance").json()
        assert told["origin"]["feedstock"] == "python"
        assert [s["stage"] for s in told["origin"]["stages"]] == ["build", "test"]
        assert {(s["kind"], s["verdict"]) for s in told["statements"]} == {
            ("publish", "good"),
            ("build", "good"),
        }
        statement = told["statements"][0]["statement"]
        assert statement["subject"][0]["digest"]["sha256"] == sha256
        lock = web.get(f"{API}/artifacts/{sha256}/lock").json()
        assert [p["name"] for p in lock["host"]] == ["zlib", "xz", "libffi"]
        files = web.get(f"{API}/artifacts/{sha256}/files").json()
        assert "lib/libpython.so" in {file["_path"] for file in files}

    def test_only_digests_are_taken(self, web: Any) -> None:
        for name in ("0" * 64, "x", "..%2f..%2fetc%2fpasswd"):
            assert web.get(f"{API}/artifacts/{name}").status_code == 404


def test_status_and_metrics_count_the_same(busy: BusyYard, web: Any) -> None:
    status = web.get(f"{API}/status").json()
    assert status["builds"]["running"] == 2 and status["totals"]["feedstocks"] == len(PACKAGES)
    text = web.get("/metrics").text
    assert 'forgeyard_builds{state="running"} 2.0' in text
    assert 'forgeyard_builds_done{outcome="failed"} 2.0' in text
    assert 'forgeyard_attempts_running{pool="local"} 2.0' in text
    assert 'forgeyard_publish_seconds_bucket{le="+Inf"} 7.0' in text


def test_an_error_inside_says_nothing_of_the_inside(
    place: TestYard, portal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = AppClient(place.yard, portal, raise_errors=False)

    def broken() -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(place.yard, "now", broken)
    answer = client.get(f"{API}/status")
    assert answer.status_code == 500
    assert answer.json()["code"] == "internal" and "secret words" not in answer.text
