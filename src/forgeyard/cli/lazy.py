"""Groups of commands that are imported only when they run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click


class LazyGroup(click.Group):
    """A group that knows its commands by ``module:attribute`` and one line of help.

    Listing the commands needs no import of any of them; a test holds the lines here equal
    to the commands' own.
    """

    def __init__(
        self,
        *args: object,
        lazy: Mapping[str, tuple[str, str]] | None = None,
        default: str | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.lazy = dict(lazy or {})
        #: The command that is meant when the first word names none.
        self.default = default

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which they were given."""
        del ctx
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        del ctx
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in front where the first word is not a command."""
        known = {*self.lazy, *ctx.help_option_names}
        if self.default and args and args[0] not in known:
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.lazy.items()])
