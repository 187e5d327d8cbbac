"""Places for sources, each against a real one of its kind on this machine."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from forgeyard.builds.outcome import Outcome
from forgeyard.runner.sources import git
from forgeyard.runner.sources.debian import source_entries
from forgeyard.runner.sources.fetch import Fetcher, Wanted
from forgeyard.runner.sources.interface import PlaceFailed, SourceFailed, sha256_of
from forgeyard.runner.sources.local import FileProvider
from forgeyard.runner.sources.pypi import PyPIProvider
from forgeyard.runner.sources.web import WebProvider

DATA = b"the bytes\n"
DIGEST = hashlib.sha256(DATA).hexdigest()


class Mirror:
    """A source mirror in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def download_source(self, sha256: str, into: Path) -> bool:
        if sha256 in self.files:
            into.write_bytes(self.files[sha256])
        return sha256 in self.files

    def upload_source(self, sha256: str, path: Path) -> None:
        self.files[sha256] = path.read_bytes()


class Web:
    """A web server that counts, and can fail the first times."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failures = 0
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append(self.path)
                status = 200 if self.path.startswith("/good") else 404
                if web.failures:
                    web.failures -= 1
                    status = 503
                self.send_response(status)
                length = len(DATA) + (7 if self.path == "/good-but-cut" else 0)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(DATA)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    monkeypatch.setattr("forgeyard.runner.sources.web._PAUSE_SECONDS", 0.01)
    made = Web()
    yield made
    made.server.shutdown()
    made.server.server_close()


class TestWeb:
    def test_tries_again_while_the_server_is_unwell(self, web: Web, tmp_path: Path) -> None:
        web.failures = 2
        WebProvider().fetch(f"{web.url}/good", tmp_path / "x", sha256=None)
        assert (tmp_path / "x").read_bytes() == DATA
        assert len(web.asked) == 3

    def test_a_no_is_final(self, web: Web, tmp_path: Path) -> None:
        with pytest.raises(PlaceFailed, match="404") as caught:
            WebProvider().fetch(f"{web.url}/missing", tmp_path / "x", sha256=None)
        assert caught.value.final
        assert len(web.asked) == 1

    def test_half_a_file_is_no_file(self, web: Web, tmp_path: Path) -> None:
        with pytest.raises(PlaceFailed) as caught:
            WebProvider().fetch(f"{web.url}/good-but-cut", tmp_path / "x", sha256=None)
        assert not caught.value.final


class TestFetcher:
    def fetcher(self, tmp_path: Path, mirror: Mirror, said: list[str]) -> Fetcher:
        place = tmp_path / "fetched"
        place.mkdir()
        return Fetcher(place, (WebProvider(), FileProvider()), mirror, said.append)

    def test_mirror_is_asked_first(self, web: Web, tmp_path: Path) -> None:
        mirror = Mirror()
        mirror.files[DIGEST] = DATA
        fetcher = self.fetcher(tmp_path, mirror, [])
        got = fetcher.fetch(Wanted(urls=(f"{web.url}/good",), sha256=DIGEST))
        assert (got.place, got.path.read_bytes()) == ("mirror", DATA)
        assert web.asked == []

    def test_mirror_with_wrong_bytes_is_passed_over(self, web: Web, tmp_path: Path) -> None:
        mirror, said = Mirror(), list[str]()
        mirror.files[DIGEST] = b"rotten"
        url = f"{web.url}/good"
        got = self.fetcher(tmp_path, mirror, said).fetch(Wanted(urls=(url,), sha256=DIGEST))
        assert got.place == url
        assert mirror.files[DIGEST] == DATA
        assert any("wrong bytes" in line for line in said)

    def test_every_place_is_told_with_its_reason(self, web: Web, tmp_path: Path) -> None:
        urls = (f"{web.url}/missing", "file:///nowhere/x", "ftp://h/x")
        with pytest.raises(SourceFailed) as caught:
            self.fetcher(tmp_path, Mirror(), []).fetch(Wanted(urls=urls, sha256=DIGEST))
        assert caught.value.code == "source_unreachable"
        assert caught.value.outcome is Outcome.FAILED
        for url in urls:
            assert url in caught.value.message
        assert "404" in caught.value.message

    def test_wrong_bytes(self, web: Web, tmp_path: Path) -> None:
        with pytest.raises(SourceFailed) as caught:
            self.fetcher(tmp_path, Mirror(), []).fetch(
                Wanted(urls=(f"{web.url}/good",), sha256="1" * 64)
            )
        assert caught.value.code == "sha256_mismatch"
        assert DIGEST in caught.value.message
        assert "1" * 64 in caught.value.message

    def test_md5_alone_serves_and_is_mirrored_by_sha256(self, web: Web, tmp_path: Path) -> None:
        mirror = Mirror()
        md5 = hashlib.md5(DATA).hexdigest()
        got = self.fetcher(tmp_path, mirror, []).fetch(Wanted(urls=(f"{web.url}/good",), md5=md5))
        assert got.sha256 == DIGEST
        assert DIGEST in mirror.files

    def test_no_checksum(self, tmp_path: Path) -> None:
        with pytest.raises(SourceFailed) as caught:
            self.fetcher(tmp_path, Mirror(), []).fetch(Wanted(urls=("file:///x",)))
        assert caught.value.code == "checksum_missing"


class TestPyPI:
    @pytest.fixture(autouse=True)
    def index(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A PEP 503 index in a directory, and no other configuration."""
        project = tmp_path / "simple/demo-project"
        project.mkdir(parents=True)
        (tmp_path / "files").mkdir()
        (tmp_path / "files/demo_project-1.0.tar.gz").write_bytes(DATA)
        (project / "index.html").write_text(
            "<!DOCTYPE html><html><body>"
            f'<a href="../../files/demo_project-1.0.tar.gz#sha256={DIGEST}">demo</a>'
            "</body></html>"
        )
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
        return tmp_path

    def test_file_of_an_index(self, tmp_path: Path) -> None:
        PyPIProvider((sys.executable,)).fetch(
            "pypi://demo-project/demo_project-1.0.tar.gz", tmp_path / "x", sha256=DIGEST
        )
        assert sha256_of(tmp_path / "x") == DIGEST

    def test_find_links(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        links = tmp_path / "links"
        links.mkdir()
        (links / "other-2.0-py3-none-any.whl").write_bytes(DATA)
        monkeypatch.setenv("PIP_FIND_LINKS", str(links))
        PyPIProvider((sys.executable,)).fetch(
            "pypi://other/other-2.0-py3-none-any.whl", tmp_path / "x", sha256=None
        )
        assert (tmp_path / "x").read_bytes() == DATA

    def test_file_that_no_index_lists(self, tmp_path: Path) -> None:
        with pytest.raises(PlaceFailed, match="not in the Python package index") as caught:
            PyPIProvider((sys.executable,)).fetch(
                "pypi://demo-project/demo_project-9.tar.gz", tmp_path / "x", sha256=None
            )
        assert caught.value.final
        assert "simple/demo-project" in caught.value.reason

    def test_no_pip_anywhere(self, tmp_path: Path) -> None:
        with pytest.raises(PlaceFailed, match="no Python here has pip"):
            PyPIProvider(("/nowhere/python",)).fetch("pypi://a/b", tmp_path / "x", sha256=None)

    @pytest.mark.parametrize("url", ["pypi://demo", "pypi:///x", "pypi://a/b/c"])
    def test_odd_addresses(self, url: str, tmp_path: Path) -> None:
        with pytest.raises(PlaceFailed, match="NAME/FILE"):
            PyPIProvider().fetch(url, tmp_path / "x", sha256=None)


class TestDebian:
    def etc(self, tmp_path: Path, codename: str = "bookworm", system: str = "debian") -> Path:
        parts = tmp_path / "etc/apt/sources.list.d"
        parts.mkdir(parents=True)
        (tmp_path / "etc/os-release").write_text(f'ID={system}\nVERSION_CODENAME="{codename}"\n')
        return tmp_path / "etc"

    def test_one_line_entries(self, tmp_path: Path) -> None:
        etc = self.etc(tmp_path)
        (etc / "apt/sources.list").write_text(
            "# deb http://m.invalid/debian x main\n"
            "deb [arch=amd64 signed-by=/k.gpg] http://m.invalid/debian bookworm main contrib # x\n"
            "deb http://s.invalid/ bookworm-security main\n"
        )
        first, second = source_entries(etc)
        assert first == (
            "Types: deb-src\nSuites: bookworm bullseye trixie sid\n"
            "URIs: http://m.invalid/debian\nComponents: main contrib\nSigned-By: /k.gpg"
        )
        assert "Suites: bookworm-security\n" in second

    def test_deb822_entries(self, tmp_path: Path) -> None:
        etc = self.etc(tmp_path, system="other")
        (etc / "apt/sources.list.d/a.sources").write_text(
            "Types: deb\n# a remark\nURIs: http://m.invalid/x\nSuites: one two\nComponents: main\n"
            "\nEnabled: no\nTypes: deb\nURIs: http://off.invalid/\nSuites: one\n"
        )
        (only,) = source_entries(etc)
        assert only == (
            "Types: deb-src\nSuites: one two\nURIs: http://m.invalid/x\nComponents: main"
        )


class TestGit:
    def test_clone_has_tags(self, tmp_path: Path) -> None:
        work = tmp_path / "work"
        run = ["git", "-c", "user.name=a", "-c", "user.email=a@b.invalid", "-C", str(work)]
        subprocess.run(["git", "init", "-q", str(work)], check=True)
        subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "one"], check=True)
        subprocess.run([*run, "tag", "v1"], check=True)
        git.clone(work.as_uri(), tmp_path / "deep/clone")
        listed = subprocess.run(
            ["git", "-C", str(tmp_path / "deep/clone"), "tag"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert listed.stdout.split() == ["v1"]

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(SourceFailed) as caught:
            git.clone((tmp_path / "none").as_uri(), tmp_path / "clone")
        assert caught.value.outcome is Outcome.INFRASTRUCTURE
