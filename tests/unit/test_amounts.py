"""Amounts in words."""

from __future__ import annotations

import pytest

from forgeyard import amounts


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"), (0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min 00 s"),
        (200, "3 min 20 s"), (3599.6, "1 h 00 min"), (7500, "2 h 05 min"), (4 * 86400, "4 days"),
    ],
)  # fmt: skip
def test_spans(seconds: float | None, text: str) -> None:
    assert amounts.span(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (23 * 2**20, "23 MiB"), (2**41, "2.0 TiB")],
)
def test_sizes(amount: int, text: str) -> None:
    assert amounts.size(amount) == text
