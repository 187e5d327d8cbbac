"""``forgeyard feedstock add``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="Add feedstocks, or bring them up to date.")
@click.argument("origins", nargs=-1, required=True, metavar="PATH|GIT-URL...")
@as_json
@asks
def add(client: Client, origins: tuple[str, ...], as_json: bool) -> int:
    """Add the feedstocks at PATH or GIT-URL, or bring them up to date.

    A folder without a recipe.yaml stands for all the feedstocks below it.
    """
    from forgeyard.cli.problems import GOOD, exit_code_of, report
    from forgeyard.cli.show import print_json, print_table, say
    from forgeyard.errors import ForgeyardError

    added: list[dict[str, Any]] = []
    worst = GOOD
    for origin in origins:
        try:
            added += client.post("/feedstocks", {"origin": absolute(origin)})
        except ForgeyardError as error:
            # The others go on: one bad recipe does not keep the good ones out.
            report(error)
            worst = max(worst, exit_code_of(error))
    if as_json:
        print_json(added)
    elif added:
        rows = [(one["name"], "changed" if one["changed"] else "as before") for one in added]
        print_table(("feedstock", "files"), rows)
        say("next: forgeyard build " + (rows[0][0] if len(rows) == 1 else "--all"))
    return worst


def absolute(origin: str) -> str:
    """A folder's whole path: the server stands somewhere else.  Git addresses stay."""
    path = Path(origin).expanduser()
    return str(path.resolve()) if path.exists() else origin
