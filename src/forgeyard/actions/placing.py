"""Place new builds into the queue: what each waits for, and how urgent it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from forgeyard.actions.candidates import Candidate
from forgeyard.actions.sorting import needed_names
from forgeyard.actions.submission import Kept
from forgeyard.actions.yard import Yard
from forgeyard.builds.machine import State, Step
from forgeyard.builds.ordering import Wanted, dependencies
from forgeyard.builds.outcome import Stage
from forgeyard.builds.specs import satisfies
from forgeyard.farm.pool import Resources
from forgeyard.governance.actor import Actor
from forgeyard.graph.graph import DependencyGraph
from forgeyard.recipes.rendered import RenderedOutput
from forgeyard.store import builds

#: What a build is thought to take before one has been measured.
UNKNOWN_SECONDS = 30.0


def place(
    connection: Connection,
    yard: Yard,
    actor: Actor,
    batch: str,
    fresh: Sequence[Candidate],
    kept: Sequence[Kept],
) -> tuple[list[dict[str, Any]], list[tuple[str, str]], list[Kept]]:
    """Rows of the new builds and what they wait for."""
    ids = {c.key: yard.new_id("b") for c in fresh}
    wanted = [Wanted(key=ids[c.key], output=c.output, variant=c.variant) for c in fresh]
    failed = [k for k in kept if k.code == "failed_before"]
    others = _others(connection, wanted, [k.build_id for k in failed if k.build_id])
    waits = dependencies(wanted, satisfies, others)
    doomed = _doomed(waits, {k.build_id: k.name for k in failed if k.build_id})
    by_id = {ids[c.key]: c for c in fresh}
    kept = [*kept, *(_kept_doomed(by_id[build_id], name) for build_id, name in doomed.items())]
    rows = _rows(connection, yard, actor, batch, by_id, waits, doomed)
    pairs = [(b, needs) for b in by_id if b not in doomed for needs in sorted(waits[b])]
    return rows, pairs, kept


def _others(
    connection: Connection, wanted: Sequence[Wanted], failed: Sequence[str]
) -> list[Wanted]:
    """Builds on their way, or failed before, that the wanted ones may have to wait for."""
    rows = [row for b in failed if (row := builds.get(connection, b)) is not None]
    names = needed_names(wanted)
    return [
        Wanted(
            key=row.id,
            variant=row.variant,
            output=RenderedOutput(
                name=row.name,
                version=row.version,
                build_string=row.build_string,
                build_number=row.build_number,
                subdir=row.subdir,
                used_variant=row.used_variant,
                requirements=row.requirements,
            ),
        )
        for row in (*rows, *builds.unfinished_named(connection, sorted(names)))
    ]


def _doomed(waits: Mapping[str, set[str]], failed: Mapping[str, str]) -> dict[str, str]:
    """Builds that can only fail, because what they need failed before → that one's name."""
    doomed: dict[str, str] = {}
    grew = True
    while grew:
        grew = False
        for build_id, needs in waits.items():
            cause = next(
                (failed.get(n) or doomed.get(n) for n in needs if n in failed or n in doomed), None
            )
            if cause and build_id not in doomed:
                doomed[build_id] = cause
                grew = True
    return doomed


def _kept_doomed(candidate: Candidate, cause: str) -> Kept:
    return Kept(
        feedstock=candidate.feedstock.name,
        name=candidate.output.name,
        filename=candidate.output.filename,
        code="dependency_failed",
        reason=f"needs {cause}, which failed before with the same inputs",
    )


def _rows(
    connection: Connection,
    yard: Yard,
    actor: Actor,
    batch: str,
    by_id: Mapping[str, Candidate],
    waits: Mapping[str, set[str]],
    doomed: Mapping[str, str],
) -> list[dict[str, Any]]:
    now = yard.now()
    measured = _expectations(connection, by_id.values())
    priority = DependencyGraph(waits).critical_path_lengths(
        lambda build_id: _seconds(measured, by_id[build_id]) if build_id in by_id else 0.0
    )
    limits = yard.settings.limits
    resources = Resources(
        cpu=1,
        memory_bytes=int(limits.memory_gib * 2**30),
        disk_bytes=int(limits.disk_gib * 2**30),
    )
    return [
        {
            "id": build_id,
            "batch": batch,
            "feedstock_id": c.feedstock.id,
            "feedstock_name": c.feedstock.name,
            "feedstock_digest": c.feedstock.digest,
            "feedstock_commit": c.feedstock.commit,
            "recipe_path": c.feedstock.recipe_path,
            "input_key": c.key,
            "name": c.output.name,
            "version": c.output.version,
            "build_string": c.output.build_string,
            "build_number": c.output.build_number,
            "subdir": c.output.subdir,
            "build_platform": c.platform,
            "target_platform": c.platform,
            "used_variant": c.output.used_variant,
            "variant": c.variant,
            "requirements": c.output.requirements,
            "sources": c.output.sources,
            "state": (State.WAITING if waits[build_id] else State.READY).value,
            "step": Step.BUILD.value,
            "tries": 0,
            "priority": priority[build_id],
            "rank": -priority[build_id],
            "resources": resources,
            "refused": False,
            **_reason(connection, c),
            "submitted_by": actor.name,
            "timestamp": int(now.timestamp()),
            "created_at": now,
            "ready_at": None if waits[build_id] else now,
        }
        for build_id, c in by_id.items()
        if build_id not in doomed
    ]


def _expectations(
    connection: Connection, candidates: Iterable[Candidate]
) -> dict[tuple[str, str, str], float]:
    """Measured times; where there is none yet, what a recipe itself expects.

    A recipe may say ``extra: {build-seconds: 200}``, so that the first run of a long build
    is not taken for a short one.
    """
    known = builds.all_durations(connection)
    for candidate in candidates:
        key = (candidate.output.name, candidate.platform, Stage.BUILD.value)
        told = (candidate.output.document.get("extra") or {}).get("build-seconds")
        if key not in known and isinstance(told, int | float) and told > 0:
            known[key] = float(told)
            builds.expect_duration(connection, *key, float(told))
    return known


def _seconds(measured: Mapping[tuple[str, str, str], float], candidate: Candidate) -> float:
    where = (candidate.output.name, candidate.platform)
    return measured.get((*where, "build"), UNKNOWN_SECONDS) + measured.get((*where, "test"), 2.0)


def _reason(connection: Connection, candidate: Candidate) -> dict[str, str]:
    """Why this build exists, in a word and in a sentence."""
    before = builds.latest_of_output(
        connection, candidate.output.name, candidate.output.subdir, candidate.output.used_variant
    )
    if before is None:
        text = f"{candidate.output.name} was never built here for this variant"
        return {"reason": "new", "reason_text": text}
    if before.input_key == candidate.key:
        return {"reason": "asked", "reason_text": f"asked for again after {before.id}"}
    if before.feedstock_digest != candidate.feedstock.digest:
        text = f"the feedstock's files changed since {before.id}"
    else:
        text = f"the pinning changed since {before.id}"
    return {"reason": "changed", "reason_text": text}
