"""Packages by digest: fetched once, checked, cleaned when long unused."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest
import rattler_build

from forgeyard.runner.package_store import Archive, PackageStore
from forgeyard.runner.sources.interface import PlaceFailed


def package(folder: Path, name: str = "demo", size: int = 10) -> Archive:
    files = folder / "files" / name
    files.mkdir(parents=True)
    (files / "data").write_text("x" * size)
    made = rattler_build.assemble_package(
        name=name,
        version="1.0",
        target_platform="noarch",
        build_string="h0_0",
        output_dir=folder,
        files_dir=files,
        noarch="generic",
    )
    path = Path(str(made.path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Archive(url=path.as_uri(), sha256=digest)


def test_fetched_once(tmp_path: Path) -> None:
    archive = package(tmp_path)
    store = PackageStore(tmp_path / "store")
    assert store.ensure([archive]) == 1
    assert (store.path(archive.sha256) / "data").read_text() == "x" * 10
    assert (store.path(archive.sha256) / "info/index.json").exists()
    Path(archive.url.removeprefix("file://")).unlink()
    assert store.ensure([archive]) == 0


def test_wrong_bytes_never_enter(tmp_path: Path) -> None:
    archive = package(tmp_path)
    store = PackageStore(tmp_path / "store")
    wrong = Archive(url=archive.url, sha256="0" * 64)
    with pytest.raises(PlaceFailed, match=archive.sha256):
        store.ensure([wrong])
    assert not store.path(wrong.sha256).exists()
    assert list((tmp_path / "store").glob("new-*")) == []


def test_clean_takes_the_longest_unused_and_spares_the_rest(tmp_path: Path) -> None:
    store = PackageStore(tmp_path / "store")
    old, used, new = (package(tmp_path, name, 5000) for name in ("old", "used", "new"))
    store.ensure([old, used, new])
    long_ago = time.time() - 1000
    os.utime(store.path(old.sha256), (long_ago, long_ago))
    os.utime(store.path(used.sha256), (long_ago + 10, long_ago + 10))
    freed = store.clean(12000, unused_seconds=500)
    assert freed > 5000
    assert not store.path(old.sha256).exists()
    assert store.path(used.sha256).exists()
    assert store.clean(0, unused_seconds=500) > 5000
    assert not store.path(used.sha256).exists()
    assert store.path(new.sha256).exists()


def test_cleaned_once_an_hour(tmp_path: Path) -> None:
    store = PackageStore(tmp_path / "store")
    assert store.clean_now_and_then(0) == 0
    archive = package(tmp_path)
    store.ensure([archive])
    os.utime(store.path(archive.sha256), (0, 0))
    assert store.clean_now_and_then(0) == 0
    assert store.path(archive.sha256).exists()
