"""Feedstock archives from outside are not trusted to stay inside."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any, cast

import pytest
import zstandard

from forgeyard.builds.job import Job
from forgeyard.builds.outcome import Outcome, Stage
from forgeyard.executors.removal import remove
from forgeyard.runner.failures import AttemptFailed
from forgeyard.runner.workspace import Workspace
from forgeyard.runner.yard_client import YardClient


class Yard:
    """Serves one archive."""

    def __init__(self, *members: tuple[tarfile.TarInfo, bytes]) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for info, data in members:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        self.data = zstandard.compress(buffer.getvalue())

    def download_feedstock(self, into: Path) -> None:
        into.write_bytes(self.data)


def member(name: str, **fields: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    return info


def unpack(tmp_path: Path, yard: Yard, digest: str | None = None) -> Workspace:
    job = Job(
        attempt_id="a",
        build_id="b",
        stage=Stage.BUILD,
        server="http://yard.invalid",
        channels=(),
        feedstock=digest or hashlib.sha256(yard.data).hexdigest(),
        name="demo",
        version="1.0",
        build_string="",
        subdir="noarch",
        build_platform="linux-64",
        target_platform="linux-64",
        variant={},
    )
    (tmp_path / "work").mkdir()
    workspace = Workspace(tmp_path / "work", job)
    workspace.unpack_feedstock(cast(YardClient, yard))
    return workspace


RECIPE = (member("recipe.yaml"), b"package: {}\n")


def test_files_modes_and_links(tmp_path: Path) -> None:
    workspace = unpack(
        tmp_path,
        Yard(
            RECIPE,
            (member("a/build.sh", mode=0o4755), b"#!/bin/sh\n"),
            (member("b", type=tarfile.SYMTYPE, linkname="a/build.sh"), b""),
        ),
    )
    folder = workspace.recipe.parent
    assert (folder / "a/build.sh").stat().st_mode & 0o7777 == 0o755
    assert (folder / "b").read_text() == "#!/bin/sh\n"


@pytest.mark.parametrize(
    "hostile",
    [
        [(member("../outside"), b"x")],
        [(member("/tmp/outside"), b"x")],
        [(member("a", type=tarfile.SYMTYPE, linkname="../.."), b"")],
        [(member("a", type=tarfile.SYMTYPE, linkname="/etc"), b"")],
        [(member("a", type=tarfile.LNKTYPE, linkname="recipe.yaml"), b"")],
        [(member("a", type=tarfile.FIFOTYPE), b"")],
        [
            (member("d"), b"x"),
            (member("l", type=tarfile.SYMTYPE, linkname="."), b""),
            (member("l/x"), b"x"),
        ],
    ],
)
def test_hostile_archives(tmp_path: Path, hostile: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    with pytest.raises(AttemptFailed) as caught:
        unpack(tmp_path, Yard(RECIPE, *hostile))
    assert caught.value.outcome is Outcome.INFRASTRUCTURE
    assert not (tmp_path / "outside").exists()


def test_wrong_digest(tmp_path: Path) -> None:
    with pytest.raises(AttemptFailed, match="sha256"):
        unpack(tmp_path, Yard(RECIPE), digest="0" * 64)


def test_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(AttemptFailed, match=r"no recipe\.yaml"):
        unpack(tmp_path, Yard((member("x"), b"")))


def test_removal_copes_with_closed_directories(tmp_path: Path) -> None:
    deep = tmp_path / "tree/closed/deep"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    (tmp_path / "keep").write_text("kept")
    (deep / "link").symlink_to(tmp_path / "keep")
    deep.chmod(0)
    deep.parent.chmod(0o500)
    remove(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
    assert (tmp_path / "keep").read_text() == "kept"
    remove(tmp_path / "tree")
