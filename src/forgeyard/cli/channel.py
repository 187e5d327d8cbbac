"""``forgeyard channel``: the group."""

from __future__ import annotations

import click

from forgeyard.cli.lazy import LazyGroup

COMMANDS = {
    "list": ("forgeyard.cli.channel_list:list_", "List the channels of the yard."),
    "show": ("forgeyard.cli.channel_show:show", "Show a channel and its labels."),
    "packages": ("forgeyard.cli.channel_packages:packages", "List packages, or one's files."),
}


@click.command(cls=LazyGroup, lazy=COMMANDS, short_help="Look at channels and their packages.")
def channel() -> None:
    """Look at channels and their packages."""
