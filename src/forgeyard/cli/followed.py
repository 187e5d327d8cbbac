"""The builds that a command waits for: those it asked for, and those on their way already."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forgeyard.cli.client import Client

_PAGE = 1000


class Followed:
    """Looks at the builds of a submission."""

    def __init__(self, client: Client, submission: dict[str, Any]) -> None:
        self._client = client
        self._batch: str | None = submission["batch"] if submission["builds"] else None
        older = {one["build_id"] for one in submission["kept"] if one["code"] == "on_its_way"}
        #: Batch → the builds of it that are waited for.
        self._older: dict[str, set[str]] = {}
        for build_id in older - {None}:
            batch = client.get(f"/builds/{build_id}")["batch"]
            self._older.setdefault(batch, set()).add(build_id)

    def __bool__(self) -> bool:
        return bool(self._batch or self._older)

    def look(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The batch as a whole, and its builds: all, or what runs in a very large one."""
        if self._older:
            return self._look_at_older()
        batch: dict[str, Any] = self._client.get(f"/batches/{self._batch}")
        state = "running" if batch["total"] > _PAGE else None
        builds = self._client.get("/builds", batch=self._batch, state=state, limit=_PAGE)
        return batch, builds

    def _look_at_older(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        wanted: dict[str, set[str] | None] = {**self._older}
        if self._batch:
            wanted[self._batch] = None
        builds = [
            build
            for batch, ids in wanted.items()
            for build in self._client.get("/builds", batch=batch, limit=_PAGE)
            if ids is None or build["id"] in ids
        ]
        return together(builds), builds


def together(builds: list[dict[str, Any]]) -> dict[str, Any]:
    """Builds of several batches, summed up as the API sums up one."""
    done = [build for build in builds if build["state"] == "done"]
    failed = [build for build in done if build["outcome"] not in ("succeeded", "unchanged")]
    left = [build["seconds_left"] for build in builds if build["seconds_left"] is not None]
    parts = [1.0 if build["state"] == "done" else build["progress"] or 0.0 for build in builds]
    return {
        "total": len(builds),
        "done": len(done),
        "failed": len(failed),
        "counts": Counter(build["outcome"] or build["state"] for build in builds),
        "percent": 100 * sum(parts) / (len(parts) or 1),
        "seconds_left": max(left, default=None),
    }
