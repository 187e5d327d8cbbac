"""``forgeyard feedstock show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="Show one feedstock and what it makes.")
@click.argument("name")
@as_json
@asks
def show(client: Client, name: str, as_json: bool) -> None:
    """Show the feedstock NAME and what it makes."""
    from forgeyard.cli.show import print_fields, print_json, when

    found = client.get(f"/feedstocks/{name}")
    if as_json:
        print_json(found)
        return
    print_fields(
        [
            ("name", found["name"]),
            ("origin", found["origin"]),
            ("commit", found.get("commit")),
            ("recipe", found.get("recipe_path")),
            ("outputs", found.get("outputs")),
            ("maintainers", found.get("maintainers")),
            ("added by", found.get("added_by")),
            ("updated", when(found.get("updated_at"))),
        ]
    )
