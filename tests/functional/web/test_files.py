"""Channel bytes: what real clients ask for, with the headers that they depend on."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import zstandard

from app_client import AppClient
from forgeyard.actions.publish import ensure_channel
from forgeyard.channels.names import KNOWN_SUBDIRS
from forgeyard.channels.shards import decode_shard, decode_shard_index
from forgeyard.web.app import create_app
from forgeyard.web.serve import BackgroundServer
from scenarios import busy_yard as world_of
from scenarios.busy_yard import BusyYard
from yards import TestYard

CLIENT = Path(__file__).parent / "installing_client.py"
MAIN = "/channels/main"
MOVING = [
    "repodata_shards.msgpack.zst",
    "repodata.json",
    "repodata.json.zst",
    "current_repodata.json",
    "run_exports.json",
    "run_exports.json.zst",
]


def shard_of(web: Any, name: str) -> str:
    index = decode_shard_index(web.get(f"{MAIN}/linux-64/repodata_shards.msgpack.zst").content)
    return f"{MAIN}/linux-64/shards/{index.shards[name]}.msgpack.zst"


@pytest.fixture
def born(place: TestYard) -> TestYard:
    """A yard whose channel was made this moment."""
    with place.yard.store.write() as connection:
        ensure_channel(connection, place.yard, "main")
    return place


class TestFromTheFirstSecond:
    @pytest.mark.parametrize("subdir", sorted(KNOWN_SUBDIRS))
    def test_every_subdir_answers_with_an_empty_document(
        self, born: TestYard, client: Any, subdir: str
    ) -> None:
        """Clients remember for 7 and 14 days that a document was not there."""
        for name in MOVING:
            for method in ("GET", "HEAD"):
                answer = client.request(method, f"{MAIN}/{subdir}/{name}")
                assert answer.status_code == 200, (method, name)
        repodata = client.get(f"{MAIN}/{subdir}/repodata.json").json()
        assert repodata["info"]["subdir"] == subdir and repodata["repodata_version"] == 1
        assert repodata["packages.conda"] == {}
        index = client.get(f"{MAIN}/{subdir}/repodata_shards.msgpack.zst").content
        assert decode_shard_index(index).shards == {}

    def test_the_channels_own_files(self, born: TestYard, client: Any) -> None:
        assert client.get(f"{MAIN}/notices.json").json() == {"notices": []}
        data = client.get(f"{MAIN}/channeldata.json").json()
        assert data["packages"] == {} and set(data["subdirs"]) == {"noarch", "linux-64"}


class TestHeaders:
    @pytest.mark.parametrize("name", MOVING)
    def test_moving_documents_are_asked_for_each_time(self, web: Any, name: str) -> None:
        answer = web.get(f"{MAIN}/linux-64/{name}")
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=0, must-revalidate"
        assert answer.headers["etag"].startswith('"') and "last-modified" in answer.headers
        assert "content-encoding" not in answer.headers
        assert int(answer.headers["content-length"]) == len(answer.content)

    def test_a_compressed_document_is_one_frame_of_the_plain_one(self, web: Any) -> None:
        for name in ("repodata.json", "run_exports.json"):
            packed = web.get(f"{MAIN}/linux-64/{name}.zst")
            assert packed.headers["content-type"] == "application/zstd"
            frame = zstandard.ZstdDecompressor().decompressobj()
            plain = frame.decompress(packed.content)
            assert not frame.unused_data
            assert plain == web.get(f"{MAIN}/linux-64/{name}").content

    def test_shards_and_packages_are_for_ever(self, web: Any) -> None:
        shard = web.get(shard_of(web, "zlib"))
        assert hashlib.sha256(shard.content).hexdigest() in str(shard.request.url)
        entries, _ = decode_shard(shard.content)
        (filename, entry), *_ = entries.items()
        package = web.get(f"{MAIN}/linux-64/{filename}")
        assert hashlib.sha256(package.content).hexdigest() == entry["sha256"]
        for answer in (shard, package):
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert "content-encoding" not in answer.headers

    @pytest.mark.parametrize(
        "path",
        [
            "/channels/nope/linux-64/repodata.json",
            f"{MAIN}/linux-64/nope-1.0-h0_0.conda",
            f"{MAIN}/linux-65/repodata.json",
            f"{MAIN}/linux-64/nope.json",
            f"{MAIN}/linux-64/shards/{'0' * 64}.msgpack.zst",
            f"{MAIN}/label/nope/linux-64/repodata.json",
            f"{MAIN}/nope.json",
            f"{MAIN}/linux-64/../../../yard.db",
        ],
    )
    def test_what_is_not_there_is_not_remembered(self, web: Any, path: str) -> None:
        answer = web.get(path)
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == "no-store"


class TestConditions:
    """RFC 9110 §13 and §14."""

    @pytest.mark.parametrize("name", [*MOVING, "shard", "package"])
    def test_nothing_is_sent_twice(self, web: Any, name: str) -> None:
        path = f"{MAIN}/linux-64/{name}"
        if name == "shard":
            path = shard_of(web, "zlib")
        if name == "package":
            listed = web.get(f"{MAIN}/linux-64/repodata.json").json()["packages.conda"]
            path = f"{MAIN}/linux-64/{next(iter(listed))}"
        first = web.get(path)
        etag = first.headers["etag"]
        for tag in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = web.get(path, headers={"If-None-Match": tag})
            assert (again.status_code, again.content) == (304, b""), tag
            assert again.headers["etag"] == etag and "cache-control" in again.headers
        assert web.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
        head = web.head(path)
        assert head.status_code == 200 and head.content == b""
        assert head.headers["content-length"] == str(len(first.content))
        assert head.headers["etag"] == etag

    def test_a_date_counts_only_without_an_etag(self, web: Any) -> None:
        path = f"{MAIN}/linux-64/repodata.json"
        modified = {"If-Modified-Since": web.get(path).headers["last-modified"]}
        assert web.get(path, headers=modified).status_code == 304
        assert web.get(path, headers={**modified, "If-None-Match": '"x"'}).status_code == 200
        assert web.get(path, headers={"If-Modified-Since": "nonsense"}).status_code == 200

    @pytest.mark.parametrize("name", ["repodata.json", "repodata.json.zst", "package"])
    def test_ranges(self, web: Any, name: str) -> None:
        if name == "package":
            name = next(iter(web.get(f"{MAIN}/linux-64/repodata.json").json()["packages.conda"]))
        path = f"{MAIN}/linux-64/{name}"
        whole = web.get(path)
        size = len(whole.content)
        for asked, part in (
            ("bytes=0-9", whole.content[:10]),
            ("bytes=10-", whole.content[10:]),
            ("bytes=-7", whole.content[-7:]),
            (f"bytes=5-{size + 50}", whole.content[5:]),
        ):
            answer = web.get(path, headers={"Range": asked})
            assert (answer.status_code, answer.content) == (206, part), asked
            start = size - 7 if asked == "bytes=-7" else int(asked[6:].split("-")[0])
            expected = f"bytes {start}-{start + len(part) - 1}/{size}"
            assert answer.headers["content-range"] == expected
        beyond = web.get(path, headers={"Range": f"bytes={size}-"})
        assert beyond.status_code == 416
        assert beyond.headers["content-range"] == f"bytes */{size}"
        old = {"Range": "bytes=0-9", "If-Range": '"old"'}
        assert web.get(path, headers=old).status_code == 200
        same = {"Range": "bytes=0-9", "If-Range": whole.headers["etag"]}
        assert web.get(path, headers=same).status_code == 206


class TestPublishing:
    def test_a_publish_is_seen_in_all_forms_at_once(self, tmp_path: Path, portal: Any) -> None:
        world = world_of.busy_yard(tmp_path, lambda yard: AppClient(yard, portal))
        web: Any = world.play.http
        before = {name: web.get(f"{MAIN}/linux-64/{name}") for name in MOVING}
        world_of.build(world.running["libxml2"])
        for runner in world.play.dispatch():
            if runner.job.name == "libxml2":
                world_of.test(runner)
        world.play.publish()
        for name in MOVING:
            etag = {"If-None-Match": before[name].headers["etag"]}
            answer = web.get(f"{MAIN}/linux-64/{name}", headers=etag)
            assert answer.status_code == 200, name
        listed = web.get(f"{MAIN}/linux-64/repodata.json").json()["packages.conda"]
        assert any(name.startswith("libxml2-") for name in listed)
        exports = web.get(f"{MAIN}/linux-64/run_exports.json").json()["packages.conda"]
        assert set(exports) == set(listed)
        assert "libxml2" in web.get(f"{MAIN}/channeldata.json").json()["packages"]
        world.place.yard.close()

    def test_a_token_may_be_in_the_address(self, busy: BusyYard, web: Any) -> None:
        token = busy.place.token
        answer = web.get(f"/t/{token}{MAIN}/linux-64/repodata.json")
        assert answer.status_code == 200
        assert answer.headers["cache-control"].startswith("private")
        assert web.get(f"/t/{token[:-2]}00{MAIN}/linux-64/repodata.json").status_code == 401


@pytest.mark.slow
@pytest.mark.parametrize("form", ["shards", "zst", "json"])
def test_a_real_client_installs_from_the_served_channel(
    busy: BusyYard, tmp_path: Path, form: str
) -> None:
    prefix = tmp_path / "prefix"
    with BackgroundServer(create_app(busy.place.yard)) as server:
        asked = [f"{server.url}{MAIN}", "linux-64", form, tmp_path / "cache", prefix, "python"]
        answer = subprocess.run(
            [sys.executable, CLIENT, *asked], capture_output=True, timeout=60, check=False
        )
    assert answer.returncode == 0, answer.stderr.decode()
    told = json.loads(answer.stdout)
    assert {record["name"] for record in told} == {"python", "zlib", "xz", "libffi"}
    assert all(record["url"].startswith(f"{server.url}{MAIN}/") for record in told)
    assert (prefix / "lib" / "libpython.so").read_bytes().startswith(b"\x7fELF")
    assert len(list((prefix / "conda-meta").glob("*.json"))) == 4
