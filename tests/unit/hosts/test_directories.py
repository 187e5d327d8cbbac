"""Feedstock folders: packed to the same bytes wherever they lie, and unpacked safely."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest
import zstandard

from forgeyard.errors import NotFound
from forgeyard.hosts import directories
from forgeyard.hosts.directories import (
    BadArchive,
    BadFolder,
    find_recipes,
    pack_folder,
    unpack_archive,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "zlib"
    (root / "patches").mkdir(parents=True)
    (root / "recipe.yaml").write_text("context: {}\n")
    (root / "build.sh").write_text("make\n")
    (root / "build.sh").chmod(0o775)
    (root / "patches" / "ünï.patch").write_text("-\n+\n")
    (root / "link.patch").symlink_to("patches/ünï.patch")
    return root


def archive(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(bytes(member.size)))
    return zstandard.compress(buffer.getvalue())


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


class TestPack:
    def test_there_and_back(self, folder: Path, tmp_path: Path) -> None:
        packed = pack_folder(folder)
        assert packed.digest == hashlib.sha256(packed.data).hexdigest()
        assert packed.files == ("build.sh", "link.patch", "patches/ünï.patch", "recipe.yaml")
        unpack_archive(packed.data, tmp_path / "again")
        assert (tmp_path / "again" / "link.patch").read_text() == "-\n+\n"
        assert os.access(tmp_path / "again" / "build.sh", os.X_OK)
        assert pack_folder(tmp_path / "again") == packed

    def test_only_content_matters(self, folder: Path) -> None:
        before = pack_folder(folder)
        os.utime(folder / "recipe.yaml", (1, 1))
        (folder / "recipe.yaml").chmod(0o600)
        (folder / "empty").mkdir()
        (folder / ".git").mkdir()
        (folder / ".git" / "config").write_text("x")
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "x.pyc").write_text("x")
        assert pack_folder(folder) == before
        (folder / "build.sh").chmod(0o644)
        assert pack_folder(folder).digest != before.digest

    def test_through_a_link_to_the_folder(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "here").symlink_to(folder)
        assert pack_folder(tmp_path / "here") == pack_folder(folder)

    @pytest.mark.parametrize(
        "target", ["/etc/passwd", "../secret", "patches/../../secret", "link.patch/../x"]
    )
    def test_links_that_lead_out(self, folder: Path, target: str) -> None:
        (folder / "evil").symlink_to(target)
        with pytest.raises(BadFolder, match="leads out") as caught:
            pack_folder(folder)
        assert str(caught.value.where) == "evil"

    def test_links_within(self, folder: Path, tmp_path: Path) -> None:
        (folder / "patches" / "up").symlink_to("../build.sh")
        (folder / "patches" / "all").symlink_to("..")
        unpack_archive(pack_folder(folder).data, tmp_path / "again")
        assert (tmp_path / "again" / "patches" / "up").read_text() == "make\n"

    def test_pipes(self, folder: Path) -> None:
        os.mkfifo(folder / "pipe")
        with pytest.raises(BadFolder, match="Neither"):
            pack_folder(folder)

    def test_names_that_are_no_text(self, folder: Path) -> None:
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_text("x")
        with pytest.raises(BadFolder, match="UTF-8"):
            pack_folder(folder)

    def test_too_large(self, folder: Path) -> None:
        (folder / "source.tar").write_bytes(bytes(2000))
        with pytest.raises(BadFolder) as caught:
            pack_folder(folder, largest=1000)
        assert caught.value.code == "feedstock_too_large"
        assert "source.tar" in str(caught.value.hint)

    def test_too_many(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(directories, "MOST_FILES", 3)
        with pytest.raises(BadFolder, match="4 files"):
            pack_folder(folder)

    def test_nothing_there(self, tmp_path: Path) -> None:
        with pytest.raises(NotFound):
            pack_folder(tmp_path / "none")


class TestUnpack:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"junk",
            zstandard.compress(b"junk" * 400),
            archive(member("../evil")),
            archive(member("/tmp/evil")),
            archive(member("a", tarfile.SYMTYPE, "/etc")),
            archive(member("a", tarfile.SYMTYPE, "..")),
            archive(member("d/a", tarfile.SYMTYPE, "../..")),
            archive(member("a", tarfile.SYMTYPE, "b"), member("a/x")),
            archive(member("a", tarfile.LNKTYPE, "/etc/passwd")),
            archive(member("a", tarfile.CHRTYPE)),
            archive(member("a"), member("a")),
        ],
    )
    def test_refuses_what_is_wrong_or_leads_out(self, data: bytes, tmp_path: Path) -> None:
        with pytest.raises((BadArchive, directories.Unavailable)):
            unpack_archive(data, tmp_path / "in" / "target")
        assert not (tmp_path / "in" / "evil").exists()

    def test_bombs(self, tmp_path: Path) -> None:
        with pytest.raises(BadArchive, match="unfolds"):
            unpack_archive(zstandard.compress(bytes(2**28)), tmp_path / "x")

    def test_only_into_an_empty_folder(self, folder: Path) -> None:
        with pytest.raises(BadFolder, match="not empty"):
            unpack_archive(pack_folder(folder).data, folder)


class TestFindRecipes:
    def make(self, root: Path, *paths: str) -> None:
        for path in paths:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("")

    def found(self, root: Path) -> list[str]:
        return [folder.relative_to(root).as_posix() for folder in find_recipes(root)]

    def test_one_repository_with_many(self, tmp_path: Path) -> None:
        self.make(tmp_path, "recipes/b/recipe.yaml", "recipes/a/recipe.yaml", "README.md")
        self.make(tmp_path, ".git/x/recipe.yaml", "recipes/a/tests/recipe.yaml")
        assert self.found(tmp_path) == ["recipes/a", "recipes/b"]

    def test_as_conda_forge_lays_it_out(self, tmp_path: Path) -> None:
        self.make(tmp_path, "recipe/recipe.yaml", "conda-forge.yml", "x/recipe.yaml")
        assert self.found(tmp_path) == ["."]

    def test_a_recipe_called_recipe(self, tmp_path: Path) -> None:
        self.make(tmp_path, "recipe/recipe.yaml", "zlib/recipe.yaml")
        assert self.found(tmp_path) == ["recipe", "zlib"]

    def test_links_are_not_followed(self, tmp_path: Path) -> None:
        self.make(tmp_path, "a/recipe.yaml")
        (tmp_path / "loop").symlink_to(tmp_path)
        assert self.found(tmp_path) == ["a"]

    def test_none(self, tmp_path: Path) -> None:
        assert find_recipes(tmp_path) == []
