"""``forgeyard channel list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command("list", short_help="List the channels of the yard.")
@as_json
@asks
def list_(client: Client, as_json: bool) -> None:
    """List the channels of the yard."""
    from forgeyard.amounts import size
    from forgeyard.cli.show import age, print_json, print_table

    found = client.get("/channels")
    if as_json:
        print_json(found)
        return
    print_table(
        ("channel", "packages", "files", "size", "published"),
        [
            (
                one["name"],
                one["packages"],
                one["files"],
                size(one["size"]),
                age(one["published_at"]),
            )
            for one in found
        ],
    )
