"""Package files: reading good ones, and refusing every kind of bad one with a typed error."""

from __future__ import annotations

import bz2
import io
import json
import tarfile
import zipfile
from typing import Any

import pytest
import zstandard

from forgeyard.channels import package_file
from forgeyard.channels.names import BadName
from forgeyard.channels.package_file import (
    BadPackage,
    PackageContents,
    PayloadMismatch,
    UnsafePackage,
    digest_file,
    read_package,
)
from forgeyard.channels.streams import PackageTooLarge, TruncatedPackage, ZstdStream
from forgeyard.errors import BadInput
from package_factory import FILES, conda, info_files, paths_json, tar

NAME = "hello-1.0-h0_0.conda"
OLD_NAME = "hello-1.0-h0_0.tar.bz2"


def read(data: bytes, filename: str = NAME, **options: bool) -> PackageContents:
    return read_package(io.BytesIO(data), filename, **options)


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def old(info: dict[str, bytes] | None = None, files: dict[str, bytes] | None = None) -> bytes:
    return bz2.compress(tar((info or info_files()) | (FILES if files is None else files)))


class TestReading:
    @pytest.mark.parametrize(("data", "name"), [(conda(), NAME), (old(), OLD_NAME)])
    def test_both_formats_say_the_same(self, data: bytes, name: str) -> None:
        contents = read(data, name, check_payload=True)
        assert contents.index["depends"] == ["zlib >=1.3"]
        assert json.loads(contents.index_json) == contents.index
        assert [entry.path for entry in contents.paths] == list(FILES)
        assert contents.about == {"summary": "greets"}
        assert contents.run_exports == {}
        assert contents.content_digest == read(conda()).content_digest

    def test_run_exports(self) -> None:
        info = info_files(extra={"info/run_exports.json": ["b", "a"]})
        assert read(conda(tar(info))).run_exports == {"weak": ["a", "b"]}

    def test_the_recipe_is_read_when_asked_for(self) -> None:
        info = tar(info_files(extra={"info/recipe/recipe.yaml": b"context: {}"}))
        assert read(conda(info)).recipe == {}
        assert read(conda(info), with_recipe=True).recipe == {"recipe.yaml": b"context: {}"}

    def test_the_payload_is_not_touched_unless_asked_for(self) -> None:
        broken = conda(payload=b"no tar at all")
        assert read(broken).index["name"] == "hello"
        with pytest.raises(BadInput):
            read(broken, check_payload=True)

    def test_digests(self) -> None:
        digests = digest_file(io.BytesIO(b"abc"))
        assert digests.size == 3
        assert digests.md5 == "900150983cd24fb0d6963f7d28e17f72"
        assert digests.sha256.startswith("ba7816bf")


class TestContentDigest:
    def digest(self, info: dict[str, bytes]) -> str:
        return read(conda(tar(info))).content_digest

    def test_time_and_order_of_dependencies_do_not_matter(self) -> None:
        assert self.digest(info_files(depends=["a", "b"], timestamp=1)) == self.digest(
            info_files(depends=["b", "a"], timestamp=2)
        )

    def test_what_happened_around_it_does_not_matter(self) -> None:
        about = {"info/about.json": {"summary": "other"}, "info/recipe/recipe.yaml": b"x"}
        assert self.digest(info_files(extra=about)) == self.digest(info_files())

    @pytest.mark.parametrize(
        "other",
        [
            info_files(depends=["zlib >=1.4"]),
            info_files(constrains=["foo <2"]),
            info_files(build_number=1),
            info_files(license="BSD-3-Clause"),
            info_files(files={"bin/hello": b"other"}),
            info_files(extra={"info/run_exports.json": {"strong": ["a"]}}),
            info_files(extra={"info/link.json": {"noarch": {"entry_points": ["a = b:c"]}}}),
            info_files(extra={"info/paths.json": paths_json(FILES, prefix_placeholder="/ph")}),
        ],
    )
    def test_content_matters(self, other: dict[str, bytes]) -> None:
        assert self.digest(other) != self.digest(info_files())


class TestBroken:
    @pytest.mark.parametrize("name", [NAME, OLD_NAME])
    def test_cut_off_anywhere(self, name: str) -> None:
        whole = conda() if name == NAME else old()
        for length in range(0, len(whole) - 1, 7):
            with pytest.raises(BadInput) as caught:
                read(whole[:length], name, check_payload=True)
            assert caught.value.where is not None
            assert caught.value.where.file == name

    def test_cut_off_inside_the_metadata(self) -> None:
        squeezed = zstandard.ZstdCompressor().compress(tar(info_files()))
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
            archive.writestr("info-hello-1.0-h0_0.tar.zst", squeezed[:-5])
        with pytest.raises(TruncatedPackage):
            read(buffer.getvalue())

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"junk" * 100,
            conda(metadata=b"{}"),
            conda(metadata=b'{"conda_pkg_format_version": 3}'),
            conda(distribution="other-1.0-h0_0"),
            conda(compression=zipfile.ZIP_DEFLATED),
            conda(tar({"info/paths.json": b"{}"})),
            conda(tar(info_files(extra={"info/index.json": b"[]"}))),
            conda(tar(info_files(extra={"info/index.json": b"\xff"}))),
            conda(tar(info_files(extra={"info/paths.json": b'{"paths": 1}'}))),
            conda(tar(info_files(extra={"info/run_exports.json": b"{"}))),
            conda(tar({"x": b""})),
            conda(b"not a tar" * 100),
        ],
    )
    def test_malformed(self, data: bytes) -> None:
        with pytest.raises(BadInput):
            read(data)

    def test_paths_that_are_listed_twice_or_are_metadata(self) -> None:
        one = paths_json(FILES)["paths"][0]
        for paths in ([one, one], [one | {"_path": "info/index.json"}], [one | {"sha256": "x"}]):
            document = {"paths_version": 1, "paths": paths}
            with pytest.raises(BadPackage):
                read(conda(tar(info_files(extra={"info/paths.json": document}))))

    def test_a_name_that_is_none(self) -> None:
        with pytest.raises(BadName):
            read(conda(), "hello.conda")


class TestUnsafe:
    @pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a\\..\\x", ""])
    def test_paths_that_lead_out(self, path: str) -> None:
        listed: dict[str, Any] = paths_json({path: b""})
        with pytest.raises(UnsafePackage):
            read(conda(tar(info_files(extra={"info/paths.json": listed}))))

    @pytest.mark.parametrize("name", ["../evil", "/etc/evil"])
    def test_members_that_lead_out(self, name: str) -> None:
        with pytest.raises(UnsafePackage):
            read(conda(payload=tar({name: b""})), check_payload=True)

    def test_writing_through_a_link(self) -> None:
        files = {"out/passwd": b"x"}
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            archive.addfile(link("out", "/etc"))
            member = tarfile.TarInfo("out/passwd")
            member.size = 1
            archive.addfile(member, io.BytesIO(b"x"))
        paths = paths_json({"out": b""} | files)
        info = tar(info_files(extra={"info/paths.json": paths}))
        with pytest.raises(UnsafePackage):
            read(conda(info, buffer.getvalue()), check_payload=True)

    def test_devices(self) -> None:
        with pytest.raises(UnsafePackage):
            read(conda(payload=tar({}, [link("dev", "", tarfile.CHRTYPE)])), check_payload=True)

    def test_hard_links_that_lead_out(self) -> None:
        with pytest.raises(UnsafePackage):
            read(
                conda(payload=tar({}, [link("x", "../../etc/passwd", tarfile.LNKTYPE)])),
                check_payload=True,
            )


class TestPayload:
    def test_another_content(self) -> None:
        with pytest.raises(PayloadMismatch, match="sha256"):
            read(conda(payload=tar(FILES | {"share/doc": b"other"})), check_payload=True)

    def test_a_file_more(self) -> None:
        with pytest.raises(PayloadMismatch, match="not listed"):
            read(conda(payload=tar(FILES | {"bin/more": b""})), check_payload=True)

    def test_a_file_less(self) -> None:
        with pytest.raises(PayloadMismatch, match="not there"):
            read(conda(payload=tar({"bin/hello": FILES["bin/hello"]})), check_payload=True)

    def test_links(self) -> None:
        files = FILES | {"bin/hi": FILES["bin/hello"]}
        info = tar(info_files(files))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            target = "hello" if kind == tarfile.SYMTYPE else "bin/hello"
            payload = tar(FILES, [link("bin/hi", target, kind)])
            assert read(conda(info, payload), check_payload=True).paths
        with pytest.raises(PayloadMismatch):
            payload = tar(FILES, [link("bin/hi", "share/doc", tarfile.LNKTYPE)])
            read(conda(info, payload), check_payload=True)


class TestBombs:
    def test_metadata_that_unfolds_to_too_much(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package_file, "LARGEST_INFO", 2**20)
        bomb = tar(info_files() | {"info/test/zeros": bytes(2**22)})
        with pytest.raises(PackageTooLarge):
            read(conda(bomb))

    def test_one_metadata_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package_file, "LARGEST_INFO_FILE", 2**10)
        with pytest.raises(PackageTooLarge):
            read(conda(tar(info_files(extra={"info/about.json": {"a": "x" * 2**11}}))))

    def test_payload(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package_file, "LARGEST_PAYLOAD", 2**20)
        with pytest.raises(PackageTooLarge):
            read(conda(payload=tar({"zeros": bytes(2**22)})), check_payload=True)
        with pytest.raises(PackageTooLarge):
            read(old(files={"zeros": bytes(2**22)}), OLD_NAME)

    def test_number_of_members(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(package_file, "MOST_MEMBERS", 2)
        with pytest.raises(PackageTooLarge):
            read(conda())

    def test_a_large_bomb_is_stopped_early(self) -> None:
        bomb = zstandard.ZstdCompressor().compress(bytes(2**30))
        stream = ZstdStream(io.BytesIO(bomb), limit=2**20)
        with pytest.raises(PackageTooLarge):
            stream.read()


def test_several_frames_are_one_stream() -> None:
    squeeze = zstandard.ZstdCompressor().compress
    stream = io.BufferedReader(ZstdStream(io.BytesIO(squeeze(b"ab") + squeeze(b"cd")), 2**20))
    assert stream.read() == b"abcd"
