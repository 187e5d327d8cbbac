"""``forgeyard artifact show``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from forgeyard.cli.options import as_json, asks

if TYPE_CHECKING:
    from forgeyard.cli.client import Client

_SHA256 = re.compile(r"[0-9a-f]{64}")


@click.command(short_help="Show a package file and where it comes from.")
@click.argument("which", metavar="SHA256|FILENAME")
@click.option("--subdir", help="Where the same file name is in several, such as noarch.")
@click.option("--files", is_flag=True, help="List the files that the package holds.")
@click.option("--lock", is_flag=True, help="List what was installed to build and test it.")
@as_json
@asks
def show(
    client: Client, which: str, subdir: str | None, files: bool, lock: bool, as_json: bool
) -> None:
    """Show a package file: what it is, and how it came to be."""
    from forgeyard.cli.show import print_json

    sha256 = which if _SHA256.fullmatch(which) else digest_of(client, which, subdir)
    part = "/files" if files else "/lock" if lock else ""
    found = client.get(f"/artifacts/{sha256}{part}")
    if files:
        print_json(found) if as_json else _print_files(found)
    elif lock:
        print_json(found) if as_json else _print_lock(found)
    else:
        provenance = client.get(f"/artifacts/{sha256}/provenance")
        if as_json:
            print_json({**found, "provenance": provenance})
        else:
            _print_artifact(found, provenance)


def digest_of(client: Client, filename: str, subdir: str | None) -> str:
    """The sha256 of a file in one of the channels.  Raises NotFound or BadInput."""
    from forgeyard.errors import BadInput, NotFound

    name = filename.rsplit("-", 2)[0]
    found: dict[str, str] = {}
    for channel in client.get("/channels"):
        try:
            package = client.get(f"/channels/{channel['name']}/packages/{name}")
        except NotFound:
            continue
        for file in package["files"]:
            if file["filename"] == filename and subdir in (None, file["subdir"]):
                found[file["sha256"]] = file["subdir"]
    if not found:
        raise NotFound(
            f"there is no file {filename} in the channels of this yard",
            code="artifact_unknown",
            hint="'forgeyard channel packages NAME' lists the files of a package.",
        )
    if len(found) > 1:
        raise BadInput(
            f"{filename} is in {' and '.join(sorted(found.values()))}",
            code="artifact_ambiguous",
            hint="Say which with --subdir.",
        )
    return next(iter(found))


def _print_artifact(found: dict[str, Any], provenance: dict[str, Any]) -> None:
    from forgeyard.amounts import size
    from forgeyard.cli.show import print_fields, when

    origin = provenance["origin"] or {}
    record = found["record"]
    print_fields(
        [
            ("file", f"{found['subdir']}/{found['filename']}"),
            ("sha256", found["sha256"]),
            ("size", size(found["size"])),
            ("license", record.get("license")),
            ("depends", record.get("depends")),
            ("published in", [place["channel"] for place in found["places"]]),
            ("made", when(found["created_at"])),
            ("build", found["build_id"]),
            ("feedstock", origin.get("feedstock")),
            ("commit", origin.get("feedstock_commit")),
            ("input key", origin.get("input_key")),
            ("sources", "\n".join(_source(one) for one in origin.get("sources", []))),
            ("asked for by", origin.get("submitted_by")),
            (
                "signed",
                "\n".join(
                    f"{one['kind']}: {one['verdict']} {one['reason']}".rstrip()
                    for one in provenance["statements"]
                ),
            ),
        ]
    )


def _source(source: dict[str, Any]) -> str:
    place = source.get("git") or (source.get("urls") or ["?"])[0]
    checked = source.get("sha256") or source.get("rev")
    return f"{place} ({checked})" if checked else str(place)


def _print_files(found: list[dict[str, Any]]) -> None:
    from forgeyard.amounts import size
    from forgeyard.cli.show import print_table

    print_table(("path", "size"), [(one["_path"], size(one.get("size_in_bytes"))) for one in found])


def _print_lock(found: dict[str, Any]) -> None:
    from forgeyard.cli.show import print_table

    print_table(
        ("environment", "package", "version", "build", "from"),
        [
            (environment, one["name"], one["version"], one["build"], one["url"])
            for environment, locked in found.items()
            for one in locked
        ],
    )
