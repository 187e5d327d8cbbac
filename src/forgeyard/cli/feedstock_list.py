"""``forgeyard feedstock list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command("list", short_help="List the feedstocks of the yard.")
@as_json
@asks
def list_(client: Client, as_json: bool) -> None:
    """List the feedstocks of the yard."""
    from forgeyard.cli.show import print_json, print_table

    found = client.get("/feedstocks")
    if as_json:
        print_json(found)
        return
    print_table(
        ("feedstock", "outputs", "origin"),
        [(one["name"], one.get("outputs") or "-", one["origin"]) for one in found],
    )
