"""``forgeyard init``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from forgeyard.cli.toolchain import Toolchain

MACHINE_FILE = "machine.yaml"


@click.command(short_help="Make a yard in a folder.")
@click.argument("directory", metavar="DIR")
@click.option("--name", help="What the yard is called on its pages; else the folder's name.")
@click.option("--channel", default="main", show_default=True, help="Name of the yard's channel.")
@click.option("--owner", help="Name of the first member; else your user name.")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(1, 65535))
@click.option("--upstream", multiple=True, help="A channel to take what the yard lacks from.")
@click.option("--database", default="", help="URL of a PostgreSQL database; else SQLite.")
@click.option("--detect", is_flag=True, help="Only look at this machine's compiler again.")
def init(
    directory: str,
    name: str | None,
    channel: str,
    owner: str | None,
    port: int,
    upstream: tuple[str, ...],
    database: str,
    detect: bool,
) -> None:
    """Make a yard in DIR: settings, database, signing key, pinning, and an owner with a token."""
    from forgeyard.cli.place import find_directory
    from forgeyard.cli.show import say
    from forgeyard.cli.toolchain import detect as look

    folder, toolchain = Path(directory), look()
    if detect:
        target = find_directory(directory) / "pinning" / MACHINE_FILE
        target.write_text(toolchain.pinning())
        say(f"wrote {target}")
    else:
        settings = settings_text(
            name=name or folder.resolve().name,
            channel=channel,
            platform=toolchain.platform,
            port=port,
            upstreams=upstream,
            database=database,
        )
        make_yard(folder, settings, owner or _user(), toolchain)
        say(f"made the yard {folder}")
        say("what to do next:")
        say(f"  cd {directory}")
        say("  forgeyard feedstock add PATH      # a folder with recipe.yaml, or of such folders")
        say("  forgeyard up                      # web page, API, channel and builds")
        say("  forgeyard build --all             # in another terminal, or without 'up'")
    _warn(toolchain)


def make_yard(folder: Path, settings: str, owner: str, toolchain: Toolchain) -> None:
    """All that ``init`` does.  Raises BadInput where there is a yard already."""
    from forgeyard.actions.members import found_yard
    from forgeyard.actions.yard import Yard
    from forgeyard.cli.example_files import base_pinning
    from forgeyard.cli.place import store_token

    yard = Yard.create(folder, settings)
    try:
        for file in base_pinning():
            (folder / "pinning" / file.name).write_bytes(file.read_bytes())
        (folder / "pinning" / MACHINE_FILE).write_text(toolchain.pinning())
        store_token(folder, owner, found_yard(yard, owner))
    finally:
        yard.close()


def settings_text(
    *,
    name: str,
    channel: str,
    platform: str,
    port: int,
    upstreams: tuple[str, ...] = (),
    database: str = "",
) -> str:
    """``forgeyard.toml`` of a new yard.  A JSON string is a TOML string as well."""
    return f"""\
# Settings of this yard.  All of them: docs/reference/settings.md.

[yard]
name = {json.dumps(name)}
channel = {json.dumps(channel)}
platforms = {json.dumps([platform])}
# Channels that may provide what this yard does not have, such as "conda-forge".
upstreams = {json.dumps(list(upstreams))}

[server]
host = "127.0.0.1"
port = {port}

[database]
# Empty: SQLite in yard.db.  Else for example postgresql+psycopg://user@host/name
url = {json.dumps(database)}

[pools.local]
# 0: what this machine has.
cpu = 0
memory_gib = 0

[limits]
wall_seconds = 21600
silence_seconds = 1800
"""


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "owner"


def _warn(toolchain: Toolchain) -> None:
    from forgeyard.cli.show import say, style

    if toolchain.lacking:
        what = " and ".join(toolchain.lacking)
        say(f"{style('warning:', 'wait', err=True)} this machine has no {what}")
        say("hint: Install it, then run 'forgeyard init --detect DIR'; until then only packages")
        say("      that need no compiler can be built.")
