"""``forgeyard artifact``: the group."""

from __future__ import annotations

import click

from forgeyard.cli.lazy import LazyGroup

COMMANDS = {
    "show": ("forgeyard.cli.artifact_show:show", "Show a package file and where it comes from."),
}


@click.command(cls=LazyGroup, lazy=COMMANDS, short_help="Look at one package file.")
def artifact() -> None:
    """Look at one package file: what it is, how it was made, what it holds."""
