"""A small yard for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from yards import TestYard, make_yard


@pytest.fixture
def place(tmp_path: Path) -> TestYard:
    return make_yard(tmp_path)
