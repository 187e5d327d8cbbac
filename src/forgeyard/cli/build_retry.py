"""``forgeyard build retry``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forgeyard.cli.options import as_json, which_yard

if TYPE_CHECKING:
    from forgeyard.cli.place import Place


@click.command(short_help="Build again what has ended.")
@click.argument("build_id", metavar="ID")
@click.option("--no-wait", is_flag=True, help="Submit only; do not follow.")
@as_json
@which_yard
def retry(place: Place, build_id: str, no_wait: bool, as_json: bool) -> int:
    """Build the feedstock of the build ID again, and follow it to its end."""
    from forgeyard.cli.at_work import at_work
    from forgeyard.cli.build_submit import after_submission
    from forgeyard.cli.client import connect

    with (connect if no_wait else at_work)(place) as client:
        submission = client.post(f"/builds/{build_id}/retry")
        return after_submission(client, submission, wait=not no_wait, as_json=as_json)
