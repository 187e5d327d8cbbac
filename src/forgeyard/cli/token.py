"""``forgeyard token``: the group."""

from __future__ import annotations

import click

from forgeyard.cli.lazy import LazyGroup

COMMANDS = {
    "create": ("forgeyard.cli.token_create:create", "Make a token; its text is shown once."),
    "list": ("forgeyard.cli.token_list:list_", "List tokens."),
    "revoke": ("forgeyard.cli.token_revoke:revoke", "End a token at once."),
}


@click.command(cls=LazyGroup, lazy=COMMANDS, short_help="Make, list and revoke API tokens.")
def token() -> None:
    """Make, list and revoke tokens: what programs and bots sign in with."""
