"""``forgeyard channel show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="Show a channel and its labels.")
@click.argument("name")
@as_json
@asks
def show(client: Client, name: str, as_json: bool) -> None:
    """Show the channel NAME and its labels."""
    from forgeyard.amounts import size
    from forgeyard.cli.show import print_fields, print_json, print_table, when

    found = client.get(f"/channels/{name}")
    if as_json:
        print_json(found)
        return
    print_fields(
        [
            ("channel", found["name"]),
            ("description", found["description"]),
            ("packages", found["packages"]),
            ("files", f"{found['files']} ({size(found['size'])})"),
            ("address", f"{client.url}/channels/{name}" if client.served else None),
        ]
    )
    click.echo()
    print_table(
        ("label", "subdir", "packages", "files", "generation", "published"),
        [
            (
                one["label"],
                one["subdir"],
                one["packages"],
                one["files"],
                one["generation"],
                when(one["published_at"]),
            )
            for one in found["labels"]
        ],
    )
