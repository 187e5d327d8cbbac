"""Time left is what the dispatcher would need."""

from __future__ import annotations

import pytest

from forgeyard.builds.forecast import seconds_left


@pytest.mark.parametrize(
    ("work", "waits", "slots", "expected"),
    [
        ({}, {}, 2, 0.0),
        ({"a": 10.0, "b": 10.0, "c": 10.0}, {}, 1, 30.0),
        ({"a": 10.0, "b": 10.0, "c": 10.0}, {}, 2, 20.0),
        ({"a": 10.0, "b": 10.0, "c": 10.0}, {"b": {"a"}, "c": {"b"}}, 8, 30.0),
        ({"a": 5.0}, {"a": {"done long ago"}}, 1, 5.0),
        ({"long": 9.0, "x": 3.0, "y": 3.0, "z": 3.0}, {}, 2, 9.0),
    ],
)
def test_seconds_left(
    work: dict[str, float], waits: dict[str, set[str]], slots: int, expected: float
) -> None:
    assert seconds_left(work, waits, slots) == expected
