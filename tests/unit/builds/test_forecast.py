"""The queue, played through."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from forgeyard.builds.forecast import Ahead, Span, forecast


def test_a_chain_on_two_slots_takes_as_long_as_the_chain() -> None:
    builds = [
        Ahead(id="a", seconds=10, priority=30),
        Ahead(id="b", seconds=10, priority=20, needs=("a",)),
        Ahead(id="c", seconds=10, priority=10, needs=("b",)),
        Ahead(id="x", seconds=5, priority=5),
    ]
    spans = forecast(builds, 2)
    assert spans["c"] == Span(start=20, end=30)
    assert spans["x"] == Span(start=0, end=5)


def test_the_more_urgent_goes_first_and_running_ones_hold_their_slots() -> None:
    builds = [
        Ahead(id="runs", seconds=7, priority=0, running=True),
        Ahead(id="late", seconds=1, priority=1),
        Ahead(id="soon", seconds=1, priority=2),
    ]
    spans = forecast(builds, 1)
    assert spans["runs"].start == 0
    assert (spans["soon"].start, spans["late"].start) == (7, 8)


def test_a_circle_is_left_out_and_ends_nothing() -> None:
    circle = [
        Ahead(id="a", seconds=1, priority=0, needs=("b",)),
        Ahead(id="b", seconds=1, priority=0, needs=("a",)),
        Ahead(id="c", seconds=1, priority=0),
    ]
    assert set(forecast(circle, 4)) == {"c"}


@given(
    st.lists(
        st.tuples(st.floats(0, 1e4), st.floats(-5, 5), st.booleans(), st.sets(st.integers(0, 30))),
        max_size=30,
    ),
    st.integers(1, 4),
)
def test_never_more_than_the_slots_and_never_before_what_is_needed(
    given_: list[tuple[float, float, bool, set[int]]], slots: int
) -> None:
    builds = [
        Ahead(
            id=str(i),
            seconds=seconds,
            priority=priority,
            running=running and i < slots,
            needs=tuple(str(n) for n in needs if n < i),
        )
        for i, (seconds, priority, running, needs) in enumerate(given_)
    ]
    spans = forecast(builds, slots)
    assert set(spans) == {build.id for build in builds}
    for build in builds:
        span = spans[build.id]
        assert span.end >= span.start >= 0
        if not build.running:
            assert all(spans[need].end <= span.start for need in build.needs)
        busy = [s for s in spans.values() if s.start <= span.start < s.end]
        assert len(busy) <= slots
