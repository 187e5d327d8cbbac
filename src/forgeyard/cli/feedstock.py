"""``forgeyard feedstock``: the group."""

from __future__ import annotations

import click

from forgeyard.cli.lazy import LazyGroup

COMMANDS = {
    "add": ("forgeyard.cli.feedstock_add:add", "Add feedstocks, or bring them up to date."),
    "list": ("forgeyard.cli.feedstock_list:list_", "List the feedstocks of the yard."),
    "show": ("forgeyard.cli.feedstock_show:show", "Show one feedstock and what it makes."),
    "remove": ("forgeyard.cli.feedstock_remove:remove", "Forget a feedstock."),
}


@click.command(cls=LazyGroup, lazy=COMMANDS, short_help="Add, list, show and remove feedstocks.")
def feedstock() -> None:
    """Add, list, show and remove feedstocks: folders or git repositories with a recipe."""
