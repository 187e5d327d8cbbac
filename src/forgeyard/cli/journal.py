"""``forgeyard journal``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="Show who did what, and when.")
@click.option("--subject", help="Only entries about this, such as feedstock:zlib.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
@asks
def journal(client: Client, subject: str | None, limit: int, as_json: bool) -> None:
    """Show who did what, and when, the newest last."""
    from forgeyard.cli.show import print_json, print_table, when

    found = client.get("/journal", subject=subject, limit=limit)
    if as_json:
        print_json(found)
        return
    print_table(
        ("no", "at", "who", "did", "to"),
        [(e["seq"], when(e["at"]), e["actor"], e["action"], e["subject"]) for e in found],
    )
