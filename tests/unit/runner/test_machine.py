"""What the runner finds out about its machine, and says when something is missing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from forgeyard.errors import Unavailable
from forgeyard.runner import facts, sandbox, toolchain

MACHINE_KEYS = {
    "external_gcc_version",
    "external_glibc_version",
    "external_triplet",
    "external_conda_triplet",
    "external_platform",
    "c_compiler_version",
    "cxx_compiler_version",
    "c_stdlib_version",
}


@pytest.mark.skipif(shutil.which("g++") is None, reason="no toolchain here")
def test_toolchain_values() -> None:
    found = toolchain.detect()
    assert set(found) == MACHINE_KEYS
    assert all(len(values) == 1 and values[0] for values in found.values())
    assert found["external_gcc_version"][0].startswith(found["c_compiler_version"][0])


def test_missing_toolchain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="gcc") as caught:
        toolchain.detect()
    assert caught.value.code == "toolchain_missing"
    assert "apt install" in (caught.value.hint or "")


def test_missing_bubblewrap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable) as caught:
        sandbox.probe()
    assert caught.value.code == "sandbox_unavailable"
    assert "bubblewrap" in (caught.value.hint or "")


def test_bubblewrap_that_may_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(Unavailable, match="No permissions") as caught:
        sandbox.probe()
    assert "max_user_namespaces" in (caught.value.hint or "")


def test_facts_have_no_empty_values() -> None:
    found = facts.machine_facts()
    assert {"kernel", "architecture", "py-rattler", "py-rattler-build"} <= set(found)
    assert all(found.values())


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bubblewrap here")
def test_sandbox_shows_only_what_it_must(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hidden")
    store = tmp_path / "store/ab"
    room = sandbox.Room(work=tmp_path / "work", packages={"a-1-0": store})
    argv = sandbox.command(room, ())
    assert "hidden" not in " ".join(argv)
    assert "--clearenv" in argv
    assert "--unshare-net" in argv
    writable = [argv[n + 1] for n, each in enumerate(argv) if each == "--bind"]
    assert writable == [str(tmp_path / "work" / name) for name in ("tmp", "build", "cache")]
    assert argv[argv.index(str(store)) - 1] == "--ro-bind"
    assert argv[argv.index(str(store)) + 1] == "/cache/pkgs/a-1-0"
