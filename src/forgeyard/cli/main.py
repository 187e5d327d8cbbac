"""The entry point: ``forgeyard``."""

from __future__ import annotations

import os
import sys

import click

from forgeyard import __version__
from forgeyard.cli.lazy import LazyGroup

COMMANDS = {
    "init": ("forgeyard.cli.init:init", "Make a yard in a folder."),
    "up": ("forgeyard.cli.up:up", "Serve a yard: web page, API, channel and builds."),
    "feedstock": ("forgeyard.cli.feedstock:feedstock", "Add, list, show and remove feedstocks."),
    "build": ("forgeyard.cli.build:build", "Build feedstocks, and look after builds."),
    "why": ("forgeyard.cli.why:why", "Say why a build waits, runs or has failed."),
    "channel": ("forgeyard.cli.channel:channel", "Look at channels and their packages."),
    "artifact": ("forgeyard.cli.artifact:artifact", "Look at one package file."),
    "doctor": ("forgeyard.cli.doctor:doctor", "Look for damage and say what to do about it."),
    "token": ("forgeyard.cli.token:token", "Make, list and revoke API tokens."),
    "journal": ("forgeyard.cli.journal:journal", "Show who did what, and when."),
    "openapi": ("forgeyard.cli.openapi:openapi", "Print the OpenAPI document of the HTTP API."),
    "demo": ("forgeyard.cli.demo:demo", "Build the examples in a yard of their own and try them."),
}


@click.command(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="forgeyard")
def cli() -> None:
    """Forgeyard: recipes in, tested and attested packages out, in a channel of your own.

    A command finds its yard by --yard DIR, by FORGEYARD_YARD, or in the present folder and
    those above it; --server URL names a yard that is served somewhere else.

    Exit codes: 0 good, 1 a build failed, 2 wrong use or bad input, 3 not allowed,
    4 unavailable.
    """


def entry() -> None:
    """Run the command line; errors become words and exit codes here, and only here."""
    code = run(sys.argv[1:])
    if "rattler" in sys.modules:
        # The threads of py-rattler may crash an orderly end of the interpreter.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(args: list[str]) -> int:
    """The exit code of one command line."""
    try:
        result = cli.main(args, prog_name="forgeyard", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        # Imported here, because the help of a command needs none of it.
        from forgeyard.cli.problems import explain

        return explain(error)
    return result if isinstance(result, int) else 0
