"""``forgeyard token list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command("list", short_help="List tokens.")
@as_json
@asks
def list_(client: Client, as_json: bool) -> None:
    """List tokens, the newest first; their texts are not kept anywhere."""
    from forgeyard.cli.show import age, print_json, print_table, when

    found = client.get("/tokens")
    if as_json:
        print_json(found)
        return
    print_table(
        ("token", "member", "label", "scopes", "made", "ends"),
        [
            (
                one["id"],
                one["member"],
                one["label"] or "-",
                one["scopes"] or "all of the member's",
                age(one["created_at"]),
                _end(one, when),
            )
            for one in found
        ],
    )


def _end(token: dict[str, Any], when: Any) -> str:
    if token.get("revoked_at"):
        return "revoked"
    return str(when(token["expires_at"])) if token.get("expires_at") else "never"
