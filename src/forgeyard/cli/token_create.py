"""``forgeyard token create``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="Make a token; its text is shown once.")
@click.option("--for", "member", required=True, metavar="NAME", help="Who will use it.")
@click.option("--scope", "scopes", multiple=True, help="Only this, such as build:submit.")
@click.option("--days", type=click.FloatRange(0, min_open=True), help="Else until revoked.")
@click.option("--label", default="", help="What it is for.")
@as_json
@asks
def create(
    client: Client,
    member: str,
    scopes: tuple[str, ...],
    days: float | None,
    label: str,
    as_json: bool,
) -> None:
    """Make a token for the member NAME; a name that nobody has becomes a bot.

    The text of the token goes to standard output and is kept nowhere.
    """
    from forgeyard.cli.show import print_json, say

    wish = {"member": member, "label": label, "scopes": list(scopes), "days": days}
    made = client.post("/tokens", {**wish, "make_bot": True})
    if as_json:
        print_json(made)
        return
    say(f"a token for {member}, shown this once:")
    click.echo(made["token"])
