"""Ask for builds: evaluate feedstocks, drop what need not be done, order the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from sqlalchemy import Connection

from forgeyard.actions.evaluate import evaluate, pinning_digest
from forgeyard.actions.feedstocks import refresh_feedstocks
from forgeyard.actions.journalling import write_journal
from forgeyard.actions.yard import Yard
from forgeyard.builds.input_key import input_key
from forgeyard.builds.machine import State, Step
from forgeyard.builds.ordering import DependencyCycle, Wanted, dependencies, spec_name
from forgeyard.builds.outcome import CACHED, Outcome, Stage
from forgeyard.builds.specs import satisfies
from forgeyard.errors import ForgeyardError, NotFound, Where
from forgeyard.farm.pool import Resources
from forgeyard.feedstocks.ownership import newly_owned
from forgeyard.governance.actor import Actor
from forgeyard.governance.permission import Permission, require
from forgeyard.graph.graph import DependencyGraph
from forgeyard.recipes.rendered import RenderedOutput
from forgeyard.rendering.protocol import Answer
from forgeyard.store import builds, channels, feedstocks
from forgeyard.variants.selection import single_variant

#: What a build is thought to take before one has been measured.
UNKNOWN_SECONDS = 30.0


class SubmittedBuild(msgspec.Struct, frozen=True, kw_only=True):
    """A build that was put into the queue."""

    id: str
    feedstock: str
    name: str
    version: str
    build_string: str
    subdir: str
    state: State


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An output that needs no new build."""

    feedstock: str
    name: str
    filename: str
    #: ``published``, ``on_its_way``, ``failed_before`` or ``dependency_failed``.
    code: str
    reason: str
    build_id: str | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A feedstock that could not be evaluated; the others go on."""

    feedstock: str
    code: str
    message: str
    hint: str | None = None
    where: Where | None = None


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish for builds."""

    batch: str
    builds: tuple[SubmittedBuild, ...] = ()
    kept: tuple[Kept, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An output that may have to be built."""

    feedstock: Any
    output: RenderedOutput
    variant: dict[str, Any]
    platform: str
    key: str


def submit(
    yard: Yard, actor: Actor, names: Sequence[str] = (), *, force: bool = False
) -> Submission:
    """Ask for all that these feedstocks make; no name means every feedstock.

    An output is built when its inputs are new.  ``force`` builds it all the same.
    """
    chosen = _choose(yard, actor, names)
    batch = yard.new_id("s")
    candidates, problems = _evaluate_all(yard, chosen)
    with yard.store.write() as connection:
        candidates, owned = _settle_ownership(connection, candidates)
        problems += owned
        fresh, kept = _sort_out(connection, yard, candidates, force=force)
        try:
            rows, pairs, kept = _place(connection, yard, actor, batch, fresh, kept)
        except DependencyCycle as cycle:
            problems.append(_problem(", ".join(sorted({c.feedstock.name for c in fresh})), cycle))
            rows, pairs = [], []
        builds.add(connection, rows)
        builds.add_dependencies(connection, pairs)
        if rows:
            write_journal(
                connection,
                yard.now(),
                actor,
                "build.submit",
                f"batch:{batch}",
                builds=len(rows),
                feedstocks=sorted({row["feedstock_name"] for row in rows}),
                force=force,
            )
    return Submission(
        batch=batch,
        builds=tuple(_submitted(row) for row in rows),
        kept=tuple(kept),
        problems=tuple(problems),
    )


def _choose(yard: Yard, actor: Actor, names: Sequence[str]) -> list[Any]:
    with yard.store.read() as connection:
        rows = feedstocks.active(connection, names)
    if missing := set(names) - {row.name for row in rows}:
        raise NotFound(
            f"there is no feedstock {', '.join(sorted(missing))}",
            code="feedstock_unknown",
            hint="Add it with 'forgeyard feedstock add PATH'.",
        )
    for row in rows:
        require(actor, Permission.BUILD_SUBMIT, row.maintainers)
    refresh_feedstocks(yard, actor, rows)
    with yard.store.read() as connection:
        return feedstocks.active(connection, [row.name for row in rows]) if rows else []


def _evaluate_all(yard: Yard, chosen: Sequence[Any]) -> tuple[list[_Candidate], list[Problem]]:
    pinning = pinning_digest(yard)
    work = [(row, platform) for row in chosen for platform in yard.settings.yard.platforms]

    def one(item: tuple[Any, str]) -> Answer | ForgeyardError:
        try:
            return evaluate(yard, item[0], pinning, item[1])
        except ForgeyardError as error:
            return error

    candidates: list[_Candidate] = []
    problems: list[Problem] = []
    # Rendering runs in child processes, so a few threads keep the cores busy.
    with ThreadPoolExecutor(max_workers=4) as threads:
        for (row, platform), answer in zip(work, threads.map(one, work), strict=True):
            if isinstance(answer, ForgeyardError):
                problems.append(_problem(row.name, answer))
            else:
                candidates += _candidates(yard, row, platform, answer)
    unique = {(c.output.subdir, c.output.filename, c.feedstock.name): c for c in candidates}
    return list(unique.values()), problems


def _candidates(yard: Yard, row: Any, platform: str, answer: Answer) -> list[_Candidate]:
    return [
        _Candidate(
            feedstock=row,
            output=output,
            variant=single_variant(answer.configuration, output.used_variant),
            platform=platform,
            key=input_key(
                feedstock=row.digest,
                filename=output.filename,
                subdir=output.subdir,
                build_platform=platform,
                used_variant=output.used_variant,
                document=output.document,
                channel=yard.settings.yard.channel,
            ),
        )
        for output in answer.outputs
    ]


def _settle_ownership(
    connection: Connection, candidates: Sequence[_Candidate]
) -> tuple[list[_Candidate], list[Problem]]:
    """Give new output names to their feedstocks; a feedstock that claims another's is out."""
    names_of: dict[str, set[str]] = {}
    for candidate in candidates:
        names_of.setdefault(candidate.feedstock.name, set()).add(candidate.output.name)
    owners = feedstocks.owners(connection, {n for names in names_of.values() for n in names})
    ids = {c.feedstock.name: c.feedstock.id for c in candidates}
    problems: list[Problem] = []
    for feedstock, names in names_of.items():
        try:
            fresh = newly_owned(feedstock, names, owners)
        except ForgeyardError as error:
            problems.append(_problem(feedstock, error))
            continue
        feedstocks.own(connection, ids[feedstock], fresh)
        owners.update(dict.fromkeys(fresh, feedstock))
    bad = {problem.feedstock for problem in problems}
    return [c for c in candidates if c.feedstock.name not in bad], problems


def _sort_out(
    connection: Connection, yard: Yard, candidates: Sequence[_Candidate], *, force: bool
) -> tuple[list[_Candidate], list[Kept]]:
    """Split into what has to be built and what need not be."""
    channel = channels.by_name(connection, yard.settings.yard.channel)
    known = builds.latest_by_key(connection, [c.key for c in candidates])
    fresh: list[_Candidate] = []
    kept: list[tuple[_Candidate, Kept]] = []
    for candidate in candidates:
        before = known.get(candidate.key)
        kept_as = _need_not(connection, candidate, before, channel, force=force)
        if kept_as is None:
            fresh.append(candidate)
        else:
            kept.append((candidate, kept_as))
    while again := [pair for pair in kept if _worth_another_try(pair, fresh)]:
        fresh += [candidate for candidate, _ in again]
        kept = [pair for pair in kept if pair not in again]
    return fresh, [kept_as for _, kept_as in kept]


def _worth_another_try(pair: tuple[_Candidate, Kept], fresh: Sequence[_Candidate]) -> bool:
    """A failure says nothing any more once something that it needs is built anew."""
    candidate, kept_as = pair
    return kept_as.code == "failed_before" and not _needed_names([candidate]).isdisjoint(
        c.output.name for c in fresh
    )


def _needed_names(items: Iterable[_Candidate | Wanted]) -> set[str]:
    return {
        spec_name(spec)
        for item in items
        for specs in msgspec.structs.astuple(item.output.requirements)
        for spec in specs
    }


def _need_not(
    connection: Connection, candidate: _Candidate, before: Any, channel: Any, *, force: bool
) -> Kept | None:
    """Why a candidate needs no build, if so."""

    def keep(code: str, reason: str) -> Kept:
        return Kept(
            feedstock=candidate.feedstock.name,
            name=candidate.output.name,
            filename=candidate.output.filename,
            code=code,
            reason=reason,
            build_id=before.id,
        )

    if before is None:
        return None
    if before.state != State.DONE:
        return keep("on_its_way", f"{before.id} is building it already")
    outcome = Outcome(before.outcome)
    if force or outcome not in CACHED:
        return None
    if before.failure is not None and before.failure.code == "unsolvable":
        return None  # the channel decides that, not the recipe, and channels change
    if not outcome.good:
        if builds.succeeded_since(connection, sorted(_needed_names([candidate])), before):
            return None  # it may find other packages now
        return keep(
            "failed_before",
            f"{before.id} ended as {outcome.value} with the same inputs; "
            "change the recipe, or use --force",
        )
    published = channel is not None and channels.file(
        connection, channel.id, candidate.output.subdir, candidate.output.filename
    )
    return keep("published", "published, and its inputs are the same") if published else None


def _place(
    connection: Connection,
    yard: Yard,
    actor: Actor,
    batch: str,
    fresh: Sequence[_Candidate],
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
    names = _needed_names(wanted)
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


def _kept_doomed(candidate: _Candidate, cause: str) -> Kept:
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
    by_id: Mapping[str, _Candidate],
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
    connection: Connection, candidates: Iterable[_Candidate]
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


def _seconds(measured: Mapping[tuple[str, str, str], float], candidate: _Candidate) -> float:
    where = (candidate.output.name, candidate.platform)
    return measured.get((*where, "build"), UNKNOWN_SECONDS) + measured.get((*where, "test"), 2.0)


def _reason(connection: Connection, candidate: _Candidate) -> dict[str, str]:
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


def _submitted(row: Mapping[str, Any]) -> SubmittedBuild:
    return SubmittedBuild(
        id=row["id"],
        feedstock=row["feedstock_name"],
        name=row["name"],
        version=row["version"],
        build_string=row["build_string"],
        subdir=row["subdir"],
        state=State(row["state"]),
    )


def _problem(feedstock: str, error: ForgeyardError) -> Problem:
    return Problem(
        feedstock=feedstock,
        code=error.code,
        message=error.message,
        hint=error.hint,
        where=error.where,
    )
