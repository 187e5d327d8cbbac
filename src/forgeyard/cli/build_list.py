"""``forgeyard build list``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command("list", short_help="List builds, the newest first.")
@click.option(
    "--state", type=click.Choice(["waiting", "ready", "running", "done"]), help="Only these."
)
@click.option("--feedstock", metavar="NAME", help="Only builds of this feedstock.")
@click.option("--batch", metavar="ID", help="Only builds that were submitted together.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
@asks
def list_(
    client: Client,
    state: str | None,
    feedstock: str | None,
    batch: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List builds, the newest first."""
    from forgeyard.cli.show import age, print_json, print_table

    found = client.get("/builds", state=state, feedstock=feedstock, batch=batch, limit=limit)
    if as_json:
        print_json(found)
        return
    print_table(
        ("build", "package", "subdir", "state", "asked"),
        [(b["id"], package_of(b), b["subdir"], state_of(b), age(b["created_at"])) for b in found],
        words=("state",),
    )


def package_of(build: dict[str, Any]) -> str:
    """``zlib 1.3.1 h0_0``."""
    return f"{build['name']} {build['version']} {build['build_string']}"


def state_of(build: dict[str, Any]) -> str:
    """The outcome of a build that has ended, else what it does."""
    if build.get("outcome"):
        return str(build["outcome"])
    if build["state"] == "running":
        doing = {"build": "building", "test": "testing", "publish": "publishing"}
        return doing.get(str(build.get("step")), "running")
    return str(build["state"])
