"""Stop a build, or ask for it again."""

from __future__ import annotations

from forgeyard.actions.advance import advance
from forgeyard.actions.journalling import write_journal
from forgeyard.actions.submission import Submission
from forgeyard.actions.submit import submit
from forgeyard.actions.yard import Yard
from forgeyard.builds.machine import CancelAsked, State
from forgeyard.errors import Conflict, NotFound
from forgeyard.governance.actor import Actor
from forgeyard.governance.permission import Permission, require
from forgeyard.store import builds, feedstocks


def cancel_build(yard: Yard, actor: Actor, build_id: str) -> None:
    """End a build; what waits for it ends as ``dependency_failed``."""
    with yard.store.write() as connection:
        row = builds.get(connection, build_id)
        if row is None:
            raise NotFound(f"there is no build {build_id}", code="build_unknown")
        feedstock = feedstocks.any_by_name(connection, row.feedstock_name)
        require(actor, Permission.BUILD_CANCEL, feedstock.maintainers if feedstock else ())
        if row.state == State.DONE:
            raise Conflict(
                f"{build_id} has ended already ({row.outcome})",
                code="build_ended",
                hint="Only a build on its way can be cancelled.",
            )
        write_journal(connection, yard.now(), actor, "build.cancel", f"build:{build_id}")
        advance(connection, build_id, CancelAsked(), yard.now(), actor)


def retry_build(yard: Yard, actor: Actor, build_id: str) -> Submission:
    """Build the same feedstock again, whatever became of it before."""
    with yard.store.read() as connection:
        row = builds.get(connection, build_id)
    if row is None:
        raise NotFound(f"there is no build {build_id}", code="build_unknown")
    return submit(yard, actor, [row.feedstock_name], force=True)
