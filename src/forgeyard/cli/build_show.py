"""``forgeyard build show``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="Show one build and its attempts.")
@click.argument("build_id", metavar="ID")
@as_json
@asks
def show(client: Client, build_id: str, as_json: bool) -> None:
    """Show the build ID and its attempts."""
    from forgeyard.amounts import span
    from forgeyard.cli.build_list import package_of, state_of
    from forgeyard.cli.show import print_fields, print_json, print_table, when

    found = client.get(f"/builds/{build_id}")
    if as_json:
        print_json(found)
        return
    failure = found.get("failure") or {}
    print_fields(
        [
            ("build", found["id"]),
            ("package", package_of(found)),
            ("subdir", found["subdir"]),
            ("feedstock", found.get("feedstock")),
            ("state", state_of(found)),
            ("reason", found.get("reason_text") or found.get("reason")),
            ("failure", failure.get("message")),
            ("hint", failure.get("hint")),
            ("asked", when(found["created_at"])),
            ("ended", when(found["finished_at"]) if found.get("finished_at") else None),
            ("time left", span(found["seconds_left"]) if found.get("seconds_left") else None),
            ("artifacts", [one["filename"] for one in found.get("artifacts", [])]),
        ]
    )
    attempts = found.get("attempts") or []
    if attempts:
        click.echo()
        print_table(
            ("attempt", "stage", "pool", "state", "took"),
            [_attempt(one) for one in attempts],
            words=("state",),
        )


def _attempt(attempt: dict[str, Any]) -> tuple[str, ...]:
    from forgeyard.amounts import span

    return (
        attempt["id"],
        attempt["stage"],
        attempt.get("pool") or "-",
        attempt.get("outcome") or attempt["state"],
        span(attempt.get("seconds")),
    )
