"""Options that many commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

R = TypeVar("R")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def which_yard(function: Callable[..., R]) -> Callable[..., R]:
    """``--yard``, ``--server`` and ``--token``; the command gets ``place``."""

    @functools.wraps(function)
    def command(
        *args: Any, yard: str | None, server: str | None, token: str | None, **rest: Any
    ) -> R:
        from forgeyard.cli.place import find_place

        return function(*args, place=find_place(yard, server, token), **rest)

    for option in (
        click.option("--token", metavar="TOKEN", help="Who asks; else FORGEYARD_TOKEN."),
        click.option("--server", metavar="URL", help="A yard that is served at this address."),
        click.option("--yard", metavar="DIR", help="The yard's folder; else FORGEYARD_YARD."),
    ):
        command = option(command)
    return command


def asks(function: Callable[..., R]) -> Callable[..., R]:
    """The options of ``which_yard``; the command gets a connected ``client``."""

    @which_yard
    @functools.wraps(function)
    def command(*args: Any, place: Any, **rest: Any) -> R:
        from forgeyard.cli.client import connect

        with connect(place) as client:
            return function(*args, client=client, **rest)

    return command
