"""``forgeyard build cancel``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forgeyard.cli.options import asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="Stop a build.")
@click.argument("build_ids", nargs=-1, required=True, metavar="ID...")
@asks
def cancel(client: Client, build_ids: tuple[str, ...]) -> None:
    """Stop the builds ID...; what waits for them is not built either."""
    from forgeyard.cli.show import say

    for build_id in build_ids:
        client.post(f"/builds/{build_id}/cancel")
        say(f"cancelled {build_id}")
