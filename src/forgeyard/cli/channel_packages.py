"""``forgeyard channel packages``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client


@click.command(short_help="List packages, or one's files.")
@click.argument("package", required=False)
@click.option("--channel", metavar="NAME", help="Else the yard's own channel.")
@as_json
@asks
def packages(client: Client, package: str | None, channel: str | None, as_json: bool) -> None:
    """List the packages of a channel, or the files of PACKAGE."""
    from forgeyard.cli.show import print_json

    name = channel or client.get("/status")["channel"]
    path = f"/channels/{name}/packages"
    found = client.get(f"{path}/{package}" if package else path)
    if as_json:
        print_json(found)
    elif package:
        _print_files(found)
    else:
        _print_packages(found)


def _print_packages(found: list[dict[str, Any]]) -> None:
    from forgeyard.cli.show import print_table

    print_table(
        ("package", "version", "files", "summary"),
        [(one["name"], one["version"], one["files"], one["summary"]) for one in found],
    )


def _print_files(found: dict[str, Any]) -> None:
    from forgeyard.amounts import size
    from forgeyard.cli.show import print_fields, print_table, when

    print_fields(
        [
            ("package", f"{found['name']} {found['version']}"),
            ("summary", found["summary"]),
            ("license", found["license"]),
            ("feedstock", found["feedstock"]),
            ("depends", found["depends"]),
            ("needed by", [one["name"] for one in found["needed_by"]]),
        ]
    )
    click.echo()
    print_table(
        ("file", "subdir", "size", "published", "build"),
        [
            (
                one["filename"],
                one["subdir"],
                size(one["size"]),
                when(one["published_at"]),
                one["build_id"],
            )
            for one in found["files"]
        ],
    )
