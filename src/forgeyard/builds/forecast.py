"""How long until a set of builds is done, from what earlier builds of them took."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping


def seconds_left(
    work: Mapping[str, float], waits: Mapping[str, Collection[str]], slots: int
) -> float:
    """Seconds until all of ``work`` is done on ``slots`` places.

    ``work`` maps builds to the seconds they still need, in order of urgency; ``waits`` says
    what each waits for (what is not in ``work`` is done).  Plays the dispatcher through:
    whenever a place is free, the most urgent build that may start takes it.
    """
    open_needs = {b: {n for n in waits.get(b, ()) if n in work and n != b} for b in work}
    needed_by: dict[str, list[str]] = {}
    for build, needs in open_needs.items():
        for need in needs:
            needed_by.setdefault(need, []).append(build)
    rank = {build: place for place, build in enumerate(work)}
    ready = [(rank[b], b) for b, needs in open_needs.items() if not needs]
    heapq.heapify(ready)
    running: list[tuple[float, int, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < max(slots, 1):
            place, build = heapq.heappop(ready)
            heapq.heappush(running, (now + max(work[build], 0.0), place, build))
        now, _, done = heapq.heappop(running)
        for follower in needed_by.get(done, ()):
            open_needs[follower].discard(done)
            if not open_needs[follower]:
                heapq.heappush(ready, (rank[follower], follower))
    return now
