"""``forgeyard feedstock remove``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forgeyard.cli.options import asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="Forget a feedstock.")
@click.argument("name")
@asks
def remove(client: Client, name: str) -> None:
    """Forget the feedstock NAME.

    What it published stays; the names of its outputs are free again.
    """
    from forgeyard.cli.show import say

    client.delete(f"/feedstocks/{name}")
    say(f"removed the feedstock {name}; what it published stays in the channel")
