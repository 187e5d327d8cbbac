"""Pages answer the question that a person came with."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from forgeyard.store.tables import artifacts
from scenarios.busy_yard import BusyYard

HTML = {"Accept": "text/html"}


class Links(HTMLParser):
    """What a page links to, and what is named twice."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.hrefs: set[str] = set()
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (href := given.get("href")) and tag == "a":
            self.hrefs.add(href)
        if name := given.get("id"):
            self.ids.append(name)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]


def artifact_of(busy: BusyYard, name: str) -> str:
    with busy.place.yard.store.read() as connection:
        query = artifacts.select().where(artifacts.c.name == name)
        return str(connection.execute(query).first().sha256)  # type: ignore[union-attr]


def test_the_overview_says_what_runs_and_what_needs_a_person(busy: BusyYard, web: Any) -> None:
    text = web.get("/", headers=HTML).text
    running, failures = text.index("Running now"), text.index("Needs a person")
    assert running < text.index("sqlite") < failures < text.index("The build script ended")
    assert "about" in text[running:failures] and "left" in text[running:failures]
    assert "Pool local" in text and "http://testserver/channels/main" in text


def test_an_empty_yard_says_what_to_do(client: Any) -> None:
    assert "forgeyard feedstock add PATH" in client.get("/").text
    for page in ("/queue", "/builds", "/channels", "/feedstocks", "/journal", "/find?q=nothing"):
        answer = client.get(page)
        assert answer.status_code == 200
        if page != "/journal":
            assert "forgeyard " in answer.text, page


def test_the_queue_says_why_each_build_waits(busy: BusyYard, web: Any) -> None:
    text = web.get("/queue").text
    row = next(r for r in re.findall(r"<tr>.*?</tr>", text, re.S) if "lxml" in r)
    assert "needs" in row and "libxml2" in row


def test_a_failed_build_shows_message_hint_and_the_line(busy: BusyYard, web: Any) -> None:
    text = web.get(f"/builds/{busy.failed}").text
    assert "The build script ended with status 2" in text
    assert "repair the recipe" in text
    link = re.search(r'href="/builds/[^"]+line=(\d+)#L(\d+)"', text)
    assert link and link[1] == link[2]
    line = re.search(rf'id="L{link[1]}".*?</div>', text, re.S)
    assert line and "flow_level" in line[0] and 'class="ln error' in text
    assert '<span class="a-bold a-red">error:</span>' in text
    assert "\x1b" not in text


def test_a_package_page_tells_how_to_install_it(busy: BusyYard, web: Any) -> None:
    text = web.get("/packages/zlib").text
    address = "http://testserver/channels/main"
    assert f"pixi global install -c {address} zlib" in text
    assert f"mamba create -n demo -c {address} zlib" in text
    assert f"conda create -n demo --override-channels -c {address} zlib" in text
    assert "Needed by" in text and 'href="/packages/python?channel=main"' in text


def test_an_artifact_page_judges_the_signatures(busy: BusyYard, web: Any) -> None:
    text = web.get(f"/artifacts/{artifact_of(busy, 'python')}").text
    assert text.count("signature good") == 2
    assert "lib/<wbr>libpython.<wbr>so" in text
    assert "host environment: 3 packages, locked" in text


def test_a_damaged_statement_is_not_called_good(
    busy: BusyYard, web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = artifact_of(busy, "zlib")
    objects = busy.place.yard.objects
    real = objects.get

    def damaged(digest: str) -> bytes:
        return real(digest).replace(b'"sig":"', b'"sig":"AAAA')

    monkeypatch.setattr(objects, "get", damaged)
    text = web.get(f"/artifacts/{sha256}").text
    assert "signature good" not in text and "signature bad" in text


def test_the_feedstock_page_has_a_matrix_and_the_recipe(busy: BusyYard, web: Any) -> None:
    text = web.get("/feedstocks/pyyaml").text
    assert re.search(r'<th scope="col">python 3.11</th>\s*<th scope="col">python 3.12</th>', text)
    assert "A feedstock of the busy yard" in text and "grace" in text


def test_unknown_things_have_friendly_pages(web: Any) -> None:
    for place in ("/nope", "/builds/b-nope", "/packages/nope", "/feedstocks/nope"):
        answer = web.get(place, headers=HTML)
        assert answer.status_code == 404
        assert "Not found" in answer.text and "To the overview" in answer.text


def test_finding_goes_straight_to_what_is_named(busy: BusyYard, web: Any) -> None:
    assert web.get("/find?q=zlib").headers["location"] == "/packages/zlib"
    assert web.get(f"/find?q={busy.failed}").headers["location"] == f"/builds/{busy.failed}"
    assert "libyaml" in web.get("/find?q=yaml").text


@pytest.mark.parametrize(
    "start", ["/", "/queue", "/builds", "/feedstocks", "/channels/main", "/journal"]
)
def test_no_link_leads_nowhere_and_nothing_is_inline(web: Any, start: str) -> None:
    """The content security policy forbids inline code, so there must be none."""
    seen: set[str] = set()
    todo = {start}
    for _ in range(2):
        for place in sorted(todo - seen)[:40]:
            seen.add(place)
            answer = web.get(place, headers=HTML)
            assert answer.status_code in (200, 303, 307), place
            if "text/html" in answer.headers.get("content-type", ""):
                found = Links(answer.text)
                assert not found.inline, (place, found.inline)
                assert len(found.ids) == len(set(found.ids)), place
                assert "default-src 'self'" in answer.headers["content-security-policy"]
                todo |= {h.split("#")[0] for h in found.hrefs if h.startswith("/")}
    assert len(seen) > 5


def test_what_a_log_says_cannot_become_code(busy: BusyYard, web: Any) -> None:
    busy.running["sqlite"].log("build", "<script>alert(1)</script>\x1b[31m<b>\x1b[0m")
    text = web.get(f"/builds/{busy.running['sqlite'].job.build_id}").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
