"""``forgeyard build submit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forgeyard.cli.options import as_json, which_yard

if TYPE_CHECKING:
    from forgeyard.cli.client import Client
    from forgeyard.cli.place import Place


@click.command(short_help="Build feedstocks and follow the builds.")
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--all", "everything", is_flag=True, help="Every feedstock of the yard.")
@click.option("--force", is_flag=True, help="Build although the inputs are the same.")
@click.option("--no-wait", is_flag=True, help="Submit only; do not follow.")
@as_json
@which_yard
def submit(
    place: Place,
    names: tuple[str, ...],
    everything: bool,
    force: bool,
    no_wait: bool,
    as_json: bool,
) -> int:
    """Build the feedstocks NAME... and follow the builds to their end.

    Only what has changed is built.  The exit code is 0 when all of it is published,
    1 when a build failed and 2 when a recipe cannot be used.
    """
    from forgeyard.cli.at_work import at_work
    from forgeyard.cli.client import connect

    if bool(names) == everything:
        raise click.UsageError("name the feedstocks to build, or say --all (not both)")
    with (connect if no_wait else at_work)(place) as client:
        submission = client.post("/builds", {"feedstocks": list(names), "force": force})
        return after_submission(client, submission, wait=not no_wait, as_json=as_json)


def after_submission(
    client: Client, submission: dict[str, Any], *, wait: bool, as_json: bool
) -> int:
    """Tell what was submitted, follow it if wished; the exit code."""
    from forgeyard.cli.follow import follow
    from forgeyard.cli.followed import Followed
    from forgeyard.cli.problems import BUILD_FAILED, GOOD
    from forgeyard.cli.show import print_json
    from forgeyard.cli.submission import tell, verdict

    tell(submission)
    followed = Followed(client, submission) if wait else None
    standing = follow(followed) if followed else None
    if as_json:
        print_json({**submission, "ended": list(standing.builds)} if standing else submission)
    failed = standing is not None and standing.failed > 0
    return max(verdict(submission), BUILD_FAILED if failed else GOOD)
