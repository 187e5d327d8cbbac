"""How far a batch of builds is, and the words for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from forgeyard.amounts import span
from forgeyard.cli.build_list import state_of
from forgeyard.cli.show import style, style_word

#: The columns of the table, in the order in which a build goes through them.
STAGES = ("waiting", "building", "testing", "published", "unchanged", "failed")
#: States and outcomes that are no failure.
_STAGES = {
    "waiting": "waiting",
    "ready": "waiting",
    "succeeded": "published",
    "unchanged": "unchanged",
}


class Standing:
    """Where a batch stands."""

    def __init__(self, batch: dict[str, Any], builds: Sequence[dict[str, Any]]) -> None:
        self.percent = float(batch["percent"])
        self.seconds_left: float | None = batch["seconds_left"]
        self.total = int(batch["total"])
        self.failed = int(batch["failed"])
        self.done = batch["done"] == batch["total"]
        #: All of them, or what runs of a very large batch.
        self.builds = builds
        self.running = [build for build in builds if build["state"] == "running"]
        #: Will be tried again: the failure of a build that has not ended is not its last word.
        self.held = [build for build in builds if build["state"] == "ready" and build["failure"]]
        self.counts = self._counts(batch["counts"])

    def _counts(self, by_state: dict[str, int]) -> Counter[str]:
        """Builds by stage; the API counts what runs as one, the rows tell it apart."""
        counts = Counter(stage_of(build) for build in self.running)
        for state, number in by_state.items():
            if state != "running":
                counts[_STAGES.get(state, "failed")] += number
        return counts

    def words(self) -> str:
        """``waiting 3, building 2, published 10``: only what there is."""
        return ", ".join(f"{stage} {self.counts[stage]}" for stage in STAGES if self.counts[stage])


def stage_of(build: dict[str, Any]) -> str:
    """Which of STAGES a build is in."""
    if build["state"] == "running":
        return "building" if build["step"] == "build" else "testing"
    return _STAGES.get(build["outcome"] or build["state"], "failed")


def ended_line(build: dict[str, Any]) -> str:
    """One line about a build that has ended."""
    state = state_of(build)
    shown = "published" if state == "succeeded" else state.replace("_", " ")
    package = f"{build['name']} {build['version']}"
    took = build.get("seconds")
    line = f"{style_word(f'{shown:<10}', err=True)} {package}"
    if took is not None:
        line += f"  {style(f'in {span(took)}', 'faint', err=True)}"
    failure = build.get("failure")
    if stage_of(build) == "failed" and failure:
        line += f"  {build['id']}: {failure['message'].splitlines()[0]}"
    return line


def held_line(build: dict[str, Any]) -> str:
    """One line about a build that waits to be tried again."""
    head = style_word(f"{'waiting':<10}", err=True)
    message = build["failure"]["message"].splitlines()[0]
    return (
        f"{head} {build['name']} {build['version']} to be tried again after: {message}; "
        f"see 'forgeyard why {build['id']}'"
    )
