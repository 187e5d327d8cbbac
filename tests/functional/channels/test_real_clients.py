"""A real client reads what `forgeyard.channels` writes: shards, zst, and plain json.

Packages are made by rattler-build, laid out by our own encoders, served over HTTP and
solved by py-rattler, which checks far more than a test of bytes could.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from forgeyard.channels.notices import encode_notices
from forgeyard.channels.package_file import digest_file, read_package
from forgeyard.channels.publication import first_publication, next_publication
from forgeyard.channels.record import Entry, read_record
from forgeyard.channels.repodata import encode_repodata, encode_zst
from forgeyard.channels.run_exports import encode_run_exports
from forgeyard.channels.shards import INDEX_FILENAME, encode_shard, shard_filename

CLIENT = Path(__file__).parent / "rattler_client.py"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
#: name, version, subdir, depends, indexed at (ms)
PACKAGES: list[tuple[str, str, str, list[str], int]] = [
    ("libhello", "1.0", "linux-64", [], 1_700_000_000_000),
    ("libhello", "1.1", "linux-64", [], 1_800_000_000_000),
    ("hello", "2.0", "linux-64", ["libhello >=1.0,<2.0a0", "words"], 1_800_000_000_000),
    ("words", "3.0", "noarch", [], 1_800_000_000_000),
]
MAKE_PACKAGES = """
import json, os, sys
from datetime import datetime, timezone
from pathlib import Path
from rattler_build.package_assembler import assemble_package
for name, version, subdir, depends, _ in json.loads(sys.argv[1]):
    files = Path(sys.argv[2], "files", name, version)
    (files / "share").mkdir(parents=True)
    (files / "share" / name).write_text(name + version)
    assemble_package(
        name, version, subdir, "h0_0", Path(sys.argv[2]), files_dir=files, depends=depends,
        noarch="generic" if subdir == "noarch" else None,
        timestamp=datetime.fromtimestamp(1_600_000_000, timezone.utc),
    )
sys.stdout.flush()
os._exit(0)
"""


class Server:
    """Serves a directory and remembers what was asked for."""

    def __init__(self, directory: Path) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *arguments: Any) -> None:
                asked.append(f"{self.command} {self.path}")

        self._http = ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(Handler, directory=str(directory))
        )
        self.url = f"http://127.0.0.1:{self._http.server_port}/lab"
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def entry_of(path: Path, subdir: str, indexed: int) -> Entry:
    with path.open("rb") as file:
        digests = digest_file(file)
        contents = read_package(file, path.name, check_payload=True)
    return read_record(
        contents.index_json,
        filename=path.name,
        subdir=subdir,
        size=digests.size,
        sha256=digests.sha256,
        md5=digests.md5,
        run_exports=contents.run_exports,
        indexed_timestamp=indexed,
    ).repodata_entry()


def lay_out(folder: Path, subdir: str, label: str, entries: dict[str, Entry]) -> None:
    """Every file that a subdir of a label serves besides the packages."""
    (folder / "shards").mkdir(parents=True, exist_ok=True)
    by_name: dict[str, dict[str, Entry]] = {}
    for filename, entry in entries.items():
        by_name.setdefault(entry["name"], {})[filename] = entry
    changed = {}
    for name, named in by_name.items():
        shard = encode_shard(named, ["gone-1-0.conda"])
        (folder / shard_filename(shard.sha256)).write_bytes(shard.bytes)
        changed[name] = shard.sha256
    publication, index = first_publication("lab", label, subdir, NOW)
    following = next_publication(publication, changed, NOW)
    (folder / INDEX_FILENAME).write_bytes(following[1] if following else index)
    repodata = encode_repodata(subdir, entries, ["gone-1-0.conda"])
    (folder / "repodata.json").write_bytes(repodata)
    (folder / "repodata.json.zst").write_bytes(encode_zst(repodata))
    (folder / "run_exports.json").write_bytes(encode_run_exports(subdir, entries))


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served")
    made = tmp_path_factory.mktemp("made")
    subprocess.run(
        [sys.executable, "-c", MAKE_PACKAGES, json.dumps(PACKAGES), str(made)], check=True
    )
    entries: dict[str, dict[str, Entry]] = {"linux-64": {}, "noarch": {}}
    for name, version, subdir, _, indexed in PACKAGES:
        path = made / f"{name}-{version}-h0_0.conda"
        entries[subdir][path.name] = entry_of(path, subdir, indexed)
        (root / "lab" / subdir).mkdir(parents=True, exist_ok=True)
        path.rename(root / "lab" / subdir / path.name)
    for subdir in entries:
        lay_out(root / "lab" / subdir, subdir, "main", entries[subdir])
    # A label that holds nothing but an older libhello.
    older = {k: v for k, v in entries["linux-64"].items() if v["version"] == "1.0"}
    for subdir, held in (("linux-64", older), ("noarch", {})):
        lay_out(root / "lab" / "label" / "old" / subdir, subdir, "old", held)
    (root / "lab" / "notices.json").write_bytes(encode_notices())
    return root


@pytest.fixture
def server(channel: Path) -> Iterator[Server]:
    served = Server(channel)
    yield served
    served.close()


def ask(url: str, form: str, cache: Path, *specs: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(CLIENT), url, "linux-64", form, str(cache), *specs],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("form", ["shards", "zst", "json"])
def test_a_client_solves(form: str, server: Server, channel: Path, tmp_path: Path) -> None:
    answer = ask(server.url, form, tmp_path, "libhello", "hello")
    chosen = {record["file"]: record for record in answer["chosen"]}
    assert chosen.keys() == {
        "libhello-1.1-h0_0.conda",
        "hello-2.0-h0_0.conda",
        "words-3.0-h0_0.conda",
    }
    for record in chosen.values():
        file = channel / "lab" / record["subdir"] / record["file"]
        assert record["url"] == f"{server.url}/{record['subdir']}/{record['file']}"
        with file.open("rb") as stream:
            digests = digest_file(stream)
        assert (record["size"], record["sha256"], record["md5"]) == (
            digests.size,
            digests.sha256,
            digests.md5,
        )
    assert chosen["hello-2.0-h0_0.conda"]["depends"] == ["libhello >=1.0,<2.0a0", "words"]
    assert "gone-1-0.conda" not in answer["known"]
    assert answer["older"] == ["libhello-1.0-h0_0.conda"]
    used = {
        "shards": f"GET /lab/linux-64/{INDEX_FILENAME}",
        "zst": "GET /lab/linux-64/repodata.json.zst",
        "json": "GET /lab/linux-64/repodata.json",
    }
    assert used[form] in server.asked
    assert any("/lab/linux-64/shards/" in line for line in server.asked) == (form == "shards")


def test_a_label_finds_the_rest_in_its_channel(server: Server, tmp_path: Path) -> None:
    """Label channels: their packages first, everything else from the channel (CEP 42)."""
    answer = ask(f"{server.url}/label/old", "shards", tmp_path, "libhello", "hello")
    urls = {record["url"].removeprefix(server.url) for record in answer["chosen"]}
    assert "/label/old/linux-64/libhello-1.0-h0_0.conda" in urls
    assert "/linux-64/hello-2.0-h0_0.conda" in urls
