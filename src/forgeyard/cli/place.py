"""Where the yard is: a folder on this machine, or the address of a server."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import msgspec

from forgeyard.errors import BadInput

#: The same name as ``forgeyard.settings.FILENAME``, which costs an import of its own.
YARD_FILE = "forgeyard.toml"
CREDENTIALS = "credentials.toml"
SERVER_FILE = "server.json"


class NoYard(BadInput):
    """No yard was named and none is near."""

    code = "no_yard"


class ServerNote(msgspec.Struct, frozen=True, kw_only=True):
    """``server.json``: written by the process that serves a yard."""

    pid: int
    url: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What a command was told about its yard."""

    directory: Path | None = None
    server: str | None = None
    token: str | None = None


def find_place(yard: str | None, server: str | None, token: str | None) -> Place:
    """The yard that is meant.  Raises NoYard with what was looked at."""
    token = token or os.environ.get("FORGEYARD_TOKEN") or None
    if yard is None and (address := server or os.environ.get("FORGEYARD_SERVER")):
        return Place(server=address.rstrip("/"), token=token)
    directory = find_directory(yard)
    return Place(directory=directory, token=token or stored_token(directory))


def find_directory(yard: str | None) -> Path:
    """The yard's folder: as named, by FORGEYARD_YARD, or here and above."""
    named = yard or os.environ.get("FORGEYARD_YARD")
    if named:
        directory = Path(named).resolve()
        if not (directory / YARD_FILE).is_file():
            raise NoYard(
                f"there is no yard in {directory}: it has no {YARD_FILE}",
                code="not_a_yard",
                hint=f"Make one with 'forgeyard init {named}'.",
            )
        return directory
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / YARD_FILE).is_file():
            return folder
    raise NoYard(
        f"no yard was named, and neither {here} nor a folder above it has a {YARD_FILE}",
        hint="Go into a yard, name one with --yard DIR or FORGEYARD_YARD, or make one with "
        "'forgeyard init DIR'.",
    )


def stored_token(directory: Path) -> str | None:
    """The token that ``init`` left for the owner, if this user may read it."""
    try:
        document = tomllib.loads((directory / CREDENTIALS).read_text())
    except (OSError, tomllib.TOMLDecodeError):
        return None
    token = document.get("token")
    return token if isinstance(token, str) else None


def store_token(directory: Path, owner: str, token: str) -> None:
    """Keep the owner's token where only this user can read it."""
    descriptor = os.open(directory / CREDENTIALS, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode=0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("# The owner's token: whoever has it may do everything in this yard.\n")
        file.write(f'member = "{owner}"\ntoken = "{token}"\n')


def server_note(directory: Path) -> ServerNote | None:
    """Who serves the yard, by its own word; whether it is so, only asking can tell."""
    try:
        return msgspec.json.decode((directory / SERVER_FILE).read_bytes(), type=ServerNote)
    except (OSError, msgspec.DecodeError):
        return None
