"""Packages of a channel: names, versions, files, and who needs whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from rattler import Version
from sqlalchemy import Connection, Row, Text, select, type_coerce

from forgeyard.channels.names import MAIN_LABEL
from forgeyard.store.tables import artifacts, label_members, outputs
from forgeyard.store.tables import feedstocks as feedstock_table


class PackageView(msgspec.Struct, frozen=True, kw_only=True):
    """A package name of a channel, told by its newest version."""

    name: str
    version: str
    subdirs: tuple[str, ...]
    #: How many files the label has under this name.
    files: int
    versions: int
    summary: str | None
    license: str | None
    home: str | None
    published_at: datetime


class PackageFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a package."""

    filename: str
    subdir: str
    version: str
    build_string: str
    build_number: int
    size: int
    sha256: str
    build_id: str | None
    depends: tuple[str, ...]
    constrains: tuple[str, ...]
    published_at: datetime


class Needed(msgspec.Struct, frozen=True, kw_only=True):
    """Another package that needs this one."""

    name: str
    #: How it asks for it.
    spec: str


class PackageDetail(msgspec.Struct, frozen=True, kw_only=True):
    """All about a package name of a channel."""

    name: str
    channel: str
    #: The newest version.
    version: str
    summary: str | None
    description: str | None
    license: str | None
    home: str | None
    repository: str | None
    documentation: str | None
    feedstock: str | None
    #: Match specs of the newest file.
    depends: tuple[str, ...]
    run_exports: dict[str, list[str]]
    needed_by: tuple[Needed, ...]
    #: Newest first.
    files: tuple[PackageFile, ...]


def of_channel(
    connection: Connection, channel_id: str, label: str = MAIN_LABEL
) -> list[PackageView]:
    """The packages of a label, by name."""
    rows: Iterable[Row[Any]] = connection.execute(
        select(
            label_members.c.name,
            label_members.c.subdir,
            label_members.c.sha256,
            label_members.c.added_at,
            artifacts.c.version,
            artifacts.c.build_number,
        )
        .join(artifacts, artifacts.c.sha256 == label_members.c.sha256)
        .where(label_members.c.channel_id == channel_id, label_members.c.label == label)
    )
    by_name: dict[str, list[Row[Any]]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    newest = {name: max(files, key=_newness) for name, files in by_name.items()}
    told = _told(connection, [row.sha256 for row in newest.values()])
    return [
        _view(name, by_name[name], newest[name], *told[newest[name].sha256])
        for name in sorted(by_name)
    ]


def detail(
    connection: Connection, channel_id: str, channel: str, name: str, label: str = MAIN_LABEL
) -> PackageDetail | None:
    """One package of a label; None when it is not there."""
    rows = list(
        connection.execute(
            select(artifacts, label_members.c.added_at)
            .join(label_members, label_members.c.sha256 == artifacts.c.sha256)
            .where(
                label_members.c.channel_id == channel_id,
                label_members.c.label == label,
                label_members.c.name == name,
            )
        )
    )
    if not rows:
        return None
    rows.sort(key=_newness, reverse=True)
    newest, about = rows[0], rows[0].about or {}
    return PackageDetail(
        name=name,
        channel=channel,
        version=newest.version,
        summary=about.get("summary"),
        description=about.get("description"),
        license=newest.record.get("license") or about.get("license"),
        home=_first(about.get("home")),
        repository=_first(about.get("dev_url")),
        documentation=_first(about.get("doc_url")),
        feedstock=connection.execute(
            select(feedstock_table.c.name)
            .join(outputs, outputs.c.feedstock_id == feedstock_table.c.id)
            .where(outputs.c.name == name)
        ).scalar_one_or_none(),
        depends=tuple(newest.record.get("depends") or ()),
        run_exports=newest.record.get("run_exports") or {},
        needed_by=needed_by(connection, channel_id, name, label),
        files=tuple(_file(row) for row in rows),
    )


def needed_by(
    connection: Connection, channel_id: str, name: str, label: str = MAIN_LABEL
) -> tuple[Needed, ...]:
    """Packages of the label whose files ask for this one."""
    rows = connection.execute(
        select(label_members.c.name, artifacts.c.record)
        .join(artifacts, artifacts.c.sha256 == label_members.c.sha256)
        .where(
            label_members.c.channel_id == channel_id,
            label_members.c.label == label,
            # Narrows the rows by text before their JSON is read; what follows is exact.
            type_coerce(artifacts.c.record, Text).contains(f'"{name}', autoescape=True),
        )
    )
    found: dict[str, str] = {}
    for row in rows:
        for spec in row.record.get("depends") or ():
            if spec.split(" ", 1)[0] == name and row.name != name:
                found[row.name] = spec
    return tuple(Needed(name=other, spec=found[other]) for other in sorted(found))


def names_like(connection: Connection, text: str, limit: int = 20) -> list[str]:
    """Names of packages that hold a text, the shortest first."""
    found = connection.execute(
        select(artifacts.c.name)
        .where(artifacts.c.name.contains(text.lower(), autoescape=True))
        .distinct()
        .limit(500)
    ).scalars()
    return sorted(found, key=lambda name: (len(name), name))[:limit]


def _told(connection: Connection, digests: list[str]) -> dict[str, tuple[dict[str, Any], str]]:
    """Digest → what the package says of itself, and its licence."""
    told: dict[str, tuple[dict[str, Any], str]] = {}
    for start in range(0, len(digests), 500):
        rows = connection.execute(
            select(artifacts.c.sha256, artifacts.c.about, artifacts.c.record).where(
                artifacts.c.sha256.in_(digests[start : start + 500])
            )
        )
        told.update({row.sha256: (row.about or {}, row.record.get("license")) for row in rows})
    return told


def _view(
    name: str, files: Iterable[Row[Any]], newest: Row[Any], about: dict[str, Any], license_: str
) -> PackageView:
    files = list(files)
    return PackageView(
        name=name,
        version=newest.version,
        subdirs=tuple(sorted({row.subdir for row in files})),
        files=len(files),
        versions=len({row.version for row in files}),
        summary=about.get("summary"),
        license=license_ or about.get("license"),
        home=_first(about.get("home")),
        published_at=max(row.added_at for row in files),
    )


def _file(row: Row[Any]) -> PackageFile:
    return PackageFile(
        filename=row.filename,
        subdir=row.subdir,
        version=row.version,
        build_string=row.build_string,
        build_number=row.build_number,
        size=row.size,
        sha256=row.sha256,
        build_id=row.build_id,
        depends=tuple(row.record.get("depends") or ()),
        constrains=tuple(row.record.get("constrains") or ()),
        published_at=row.added_at,
    )


def _newness(row: Row[Any]) -> tuple[Version, int, datetime]:
    return Version(row.version), row.build_number, row.added_at


def _first(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return str(value) if value else None
