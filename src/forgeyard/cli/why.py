"""``forgeyard why``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="Say why a build waits, runs or has failed.")
@click.argument("build_id", metavar="BUILD")
@as_json
@asks
def why(client: Client, build_id: str, as_json: bool) -> None:
    """Say why BUILD exists, what it waits for, and why it failed."""
    from forgeyard.cli.show import print_fields, print_json, style, when

    found = client.get(f"/builds/{build_id}/why")
    if as_json:
        print_json(found)
        return
    failure = found.get("failure") or {}
    print_fields(
        [
            ("build", found["build_id"]),
            ("now", found["summary"]),
            ("exists because", found["reason"]),
            (
                "waits for",
                "\n".join(
                    f"{one['name']} ({one['build_id']}, {one['outcome'] or one['state']})"
                    for one in found["waiting_on"]
                ),
            ),
            ("pools", "\n".join(f"{one['pool']} {one['reason']}" for one in found["pools"])),
            ("goes after", f"{found['ahead']} more urgent builds" if found["ahead"] else None),
            ("not before", when(found["not_before"]) if found.get("not_before") else None),
            ("failed in", failure.get("phase")),
            ("failure", failure.get("message")),
            ("log line", failure.get("log_line")),
            ("hint", failure.get("hint")),
        ]
    )
    click.echo()
    click.echo(style("story:", "head"))
    for event in found["story"]:
        click.echo(f"  {when(event['at'])}  {event['what']}")
