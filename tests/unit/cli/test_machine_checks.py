from __future__ import annotations

from pathlib import Path

import pytest

from forgeyard.cli import machine_checks
from forgeyard.errors import Unavailable


def a_program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_a_machine_without_sandbox_and_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {one["code"]: one["severity"] for one in machine_checks.machine_findings(tmp_path)}
    assert found == {"sandbox_missing": "error", "compiler_missing": "warning"}
    with pytest.raises(Unavailable, match="bubblewrap") as caught:
        machine_checks.require_sandbox()
    assert "apt-get install bubblewrap" in str(caught.value.hint)


def test_a_sandbox_that_the_kernel_refuses_says_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_program(tmp_path / "bin", "bwrap", "echo 'bwrap: No permissions' >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(Unavailable, match="does not start: bwrap: No permissions") as caught:
        machine_checks.require_sandbox()
    assert caught.value.code == "sandbox_refused"


def test_another_compiler_than_the_pinning_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("gcc", "g++"):
        a_program(tmp_path / "bin", name, "echo 14.1.0")
    a_program(tmp_path / "bin", "bwrap", "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "pinning").mkdir()
    assert machine_checks.machine_findings(tmp_path) == []
    (tmp_path / "pinning" / "machine.yaml").write_text("external_gcc_version: ['12.2.0']\n")
    (finding,) = machine_checks.machine_findings(tmp_path)
    assert finding["code"] == "compiler_changed"
