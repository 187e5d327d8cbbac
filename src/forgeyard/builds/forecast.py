"""When builds will start and end: the queue, played through with what earlier ones took.

Pure.  It is a list schedule: each free slot takes the most urgent build that waits for
nothing, as the dispatcher does.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

import msgspec


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """A build that has still to be done, or is being done."""

    id: str
    #: Seconds of work that are left of it.
    seconds: float
    priority: float
    running: bool = False
    #: Builds that have to end first.
    needs: tuple[str, ...] = ()


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds from now."""

    start: float
    end: float


def forecast(builds: Sequence[Ahead], slots: int) -> dict[str, Span]:
    """Start and end of each build; those behind a circle or an unknown build are left out."""
    known = {build.id: build for build in builds}
    spans = {b.id: Span(start=0.0, end=max(b.seconds, 0.0)) for b in builds if b.running}
    open_needs = {
        b.id: {need for need in b.needs if need in known} for b in builds if not b.running
    }
    ends = [(span.end, build_id) for build_id, span in spans.items()]
    heapq.heapify(ends)
    ready = [(-known[b].priority, b) for b, needs in open_needs.items() if not needs]
    heapq.heapify(ready)
    waiting_for = _reversed(open_needs)
    free, clock = slots - len(ends), 0.0
    while ready or ends:
        while ready and free > 0:
            _, build_id = heapq.heappop(ready)
            span = Span(start=clock, end=clock + max(known[build_id].seconds, 0.0))
            spans[build_id] = span
            heapq.heappush(ends, (span.end, build_id))
            free -= 1
        if not ends:
            break
        clock, ended = heapq.heappop(ends)
        free += 1
        for build_id in waiting_for.get(ended, ()):
            open_needs[build_id].discard(ended)
            if not open_needs[build_id]:
                heapq.heappush(ready, (-known[build_id].priority, build_id))
    return spans


def _reversed(needs: Mapping[str, set[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for build_id, others in needs.items():
        for other in others:
            found.setdefault(other, []).append(build_id)
    return found
