"""Ask for builds: evaluate feedstocks, drop what need not be done, order the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forgeyard.actions.candidates import evaluate_all, settle_ownership
from forgeyard.actions.feedstocks import refresh_feedstocks
from forgeyard.actions.journalling import write_journal
from forgeyard.actions.placing import place
from forgeyard.actions.sorting import sort_out
from forgeyard.actions.submission import Submission, problem_of, submitted
from forgeyard.actions.yard import Yard
from forgeyard.builds.ordering import DependencyCycle
from forgeyard.errors import NotFound
from forgeyard.governance.actor import Actor
from forgeyard.governance.permission import Permission, require
from forgeyard.store import builds, feedstocks


def submit(
    yard: Yard, actor: Actor, names: Sequence[str] = (), *, force: bool = False
) -> Submission:
    """Ask for all that these feedstocks make; no name means every feedstock.

    An output is built when its inputs are new.  ``force`` builds it all the same.
    """
    chosen = _choose(yard, actor, names)
    batch = yard.new_id("s")
    candidates, problems = evaluate_all(yard, chosen)
    with yard.store.write() as connection:
        candidates, owned = settle_ownership(connection, candidates)
        problems += owned
        fresh, kept = sort_out(connection, yard, candidates, force=force)
        try:
            rows, pairs, kept = place(connection, yard, actor, batch, fresh, kept)
        except DependencyCycle as cycle:
            problems.append(problem_of(", ".join(sorted({c.feedstock.name for c in fresh})), cycle))
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
        builds=tuple(submitted(row) for row in rows),
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
