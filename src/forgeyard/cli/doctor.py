"""``forgeyard doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forgeyard.cli.options import as_json

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Look for damage and say what to do about it.")
@click.option("--yard", metavar="DIR", help="The yard's folder; else FORGEYARD_YARD.")
@click.option("--read-all", is_flag=True, help="Read every object and compare its hash.")
@as_json
def doctor(yard: str | None, read_all: bool, as_json: bool) -> int:
    """Look for damage in a yard and on this machine, and say what to do about it.

    Looks at the files themselves, because a damaged yard may have no server.  The exit
    code is 1 when something is wrong.
    """
    from forgeyard.cli.machine_checks import machine_findings
    from forgeyard.cli.place import find_directory
    from forgeyard.cli.show import print_json, say, style

    directory = find_directory(yard)
    found = [*machine_findings(directory), *yard_findings(directory, read_all=read_all)]
    if as_json:
        print_json(found)
    else:
        for one in found:
            meaning = "bad" if one["severity"] == "error" else "wait"
            click.echo(f"{style(one['severity'] + ':', meaning)} {one['message']}")
            if one.get("hint"):
                click.echo(f"  {style('hint:', 'note')} {one['hint']}")
        if not found:
            say("nothing is wrong")
    return 1 if any(one["severity"] == "error" for one in found) else 0


def yard_findings(directory: Path, *, read_all: bool) -> list[dict[str, Any]]:
    """What is wrong with the yard's database and objects."""
    import msgspec

    from forgeyard.actions.doctor import examine
    from forgeyard.actions.yard import Yard
    from forgeyard.errors import ForgeyardError

    try:
        yard = Yard.open(directory)
    except ForgeyardError as error:
        # A yard that cannot even be opened is what a doctor is asked about.
        return [
            {
                "code": error.code,
                "severity": "error",
                "message": str(error),
                "hint": error.hint,
            }
        ]
    try:
        found: list[dict[str, Any]] = msgspec.to_builtins(examine(yard, read_all=read_all))
        return found
    finally:
        yard.close()
