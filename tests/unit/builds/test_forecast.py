"""The forecast is what the dispatcher would do."""

from __future__ import annotations

import pytest

from forgeyard.builds.forecast import Ahead, forecast


def ahead(build_id: str, seconds: float, *needs: str, running: bool = False) -> Ahead:
    return Ahead(id=build_id, seconds=seconds, priority=seconds, running=running, needs=needs)


@pytest.mark.parametrize(
    ("builds", "slots", "end"),
    [
        ([ahead("a", 10), ahead("b", 10), ahead("c", 10)], 1, 30.0),
        ([ahead("a", 10), ahead("b", 10), ahead("c", 10)], 2, 20.0),
        ([ahead("a", 10), ahead("b", 10, "a"), ahead("c", 10, "b")], 8, 30.0),
        ([ahead("a", 5, "done long ago")], 1, 5.0),
        ([ahead("long", 9), ahead("x", 3), ahead("y", 3), ahead("z", 3)], 2, 9.0),
        ([ahead("now", 4, running=True), ahead("next", 2)], 1, 6.0),
    ],
)
def test_all_ends_when_the_dispatcher_would_end_it(
    builds: list[Ahead], slots: int, end: float
) -> None:
    spans = forecast(builds, slots)
    assert len(spans) == len(builds)
    assert max(span.end for span in spans.values()) == end


def test_a_circle_is_left_out_and_holds_nothing_up() -> None:
    spans = forecast([ahead("a", 1, "b"), ahead("b", 1, "a"), ahead("c", 2)], 1)
    assert set(spans) == {"c"}
