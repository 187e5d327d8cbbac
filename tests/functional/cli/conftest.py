"""A yard made by ``forgeyard init``, and the command line in this process."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forgeyard.cli.main import run


class Said:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Forgeyard = Callable[..., Said]


@pytest.fixture
def forgeyard(capfd: pytest.CaptureFixture[str]) -> Forgeyard:
    def command(*words: object) -> Said:
        code = run([str(word) for word in words])
        told = capfd.readouterr()
        return Said(code, told.out, told.err)

    return command


@pytest.fixture
def yard(forgeyard: Forgeyard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("FORGEYARD_")]:
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "yard"
    assert forgeyard("init", folder, "--name", "Test", "--owner", "ada").code == 0
    monkeypatch.setenv("FORGEYARD_YARD", str(folder))
    return folder
