"""``forgeyard token revoke``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forgeyard.cli.options import asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="End a token at once.")
@click.argument("token_id", metavar="ID")
@asks
def revoke(client: Client, token_id: str) -> None:
    """End the token ID at once ('forgeyard token list' shows the ids)."""
    from forgeyard.cli.show import say

    client.delete(f"/tokens/{token_id}")
    say(f"revoked {token_id}")
