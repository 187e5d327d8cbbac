"""``forgeyard build``: the group; a first word that is no command of it means ``submit``."""

from __future__ import annotations

import click

from forgeyard.cli.lazy import LazyGroup

COMMANDS = {
    "submit": ("forgeyard.cli.build_submit:submit", "Build feedstocks and follow the builds."),
    "list": ("forgeyard.cli.build_list:list_", "List builds, the newest first."),
    "show": ("forgeyard.cli.build_show:show", "Show one build and its attempts."),
    "logs": ("forgeyard.cli.build_logs:logs", "Print the log of a build."),
    "cancel": ("forgeyard.cli.build_cancel:cancel", "Stop a build."),
    "retry": ("forgeyard.cli.build_retry:retry", "Build again what has ended."),
}


@click.command(
    cls=LazyGroup,
    lazy=COMMANDS,
    default="submit",
    short_help="Build feedstocks, and look after builds.",
    subcommand_metavar="NAME... | COMMAND [ARGS]...",
)
def build() -> None:
    """Build feedstocks, and look after builds.

    'forgeyard build NAME...' is short for 'forgeyard build submit NAME...', and
    'forgeyard build --all' builds every feedstock whose inputs have changed.
    """
