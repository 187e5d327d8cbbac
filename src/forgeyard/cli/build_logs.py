"""``forgeyard build logs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="Print the log of a build.")
@click.argument("build_id", metavar="ID")
@click.option("-f", "--follow", is_flag=True, help="Go on until the build ends.")
@click.option("--stage", type=click.Choice(["build", "test"]), help="Only this stage.")
@as_json
@asks
def logs(client: Client, build_id: str, follow: bool, stage: str | None, as_json: bool) -> None:
    """Print the log of the build ID; --json prints one JSON object per line."""
    import json

    if follow:
        for event, data in client.events(f"/builds/{build_id}/log/stream", stage=stage):
            if event in ("line", "message"):
                click.echo(data if as_json else line_text(json.loads(data)))
        return
    for line in client.text(f"/builds/{build_id}/log", stage=stage).splitlines():
        click.echo(line if as_json else line_text(json.loads(line)))


def line_text(line: dict[str, Any]) -> str:
    """``  12.3 build  message``: seconds since the start, phase, text."""
    from forgeyard.cli.show import style

    head = style(f"{line['t']:8.1f} {line['p']:<8}", "faint")
    level, text = line["l"], line["m"].rstrip("\n")
    if level in ("error", "warn"):
        text = style(text, "bad" if level == "error" else "wait")
    elif level == "cmd":
        text = style(text, "head")
    return f"{head} {text}"
