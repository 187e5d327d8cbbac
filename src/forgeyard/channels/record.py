"""The record of an artifact: what an index says of a package (CEP 34, 36, 21, 47).

A record is made of the package's own ``info/index.json`` and of facts that only the yard
can state: size, digests, and when it was indexed.  It is checked strictly, because
clients refuse a whole subdir when one record has a wrong type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from rattler import MatchSpec
from rattler.exceptions import InvalidMatchSpecError

from forgeyard.channels.names import ArtifactName, check_package_name, check_subdir
from forgeyard.errors import BadInput, Where

#: A repodata entry, as in ``packages.conda``; shards hold ``run_exports`` in it too.
Entry = dict[str, Any]
#: ``weak``, ``strong``, ``weak_constrains``, ``strong_constrains``, ``noarch`` → specs.
RunExports = dict[str, list[str]]

RUN_EXPORT_KINDS = ("noarch", "strong", "strong_constrains", "weak", "weak_constrains")

_HEX = {"md5": re.compile(r"[0-9a-f]{32}"), "sha256": re.compile(r"[0-9a-f]{64}")}


class BadRecord(BadInput):
    """A package's metadata would break the index."""

    code = "bad_record"


class SubdirMismatch(BadRecord):
    """The package says it is for another subdir."""

    code = "subdir_mismatch"


class FilenameMismatch(BadRecord):
    """The file's name and the package inside do not agree."""

    code = "filename_mismatch"


class Index(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``info/index.json`` as far as it belongs into an index; other keys stay in the package."""

    name: str
    version: str
    build: str
    build_number: int
    subdir: str | None = None
    depends: list[str] = []
    constrains: list[str] = []
    noarch: Literal["generic", "python"] | None = None
    #: Start of the build; milliseconds, in very old packages seconds.
    timestamp: int | None = None
    license: str | None = None
    license_family: str | None = None
    track_features: str | list[str] | None = None
    features: str | None = None
    arch: str | None = None
    platform: str | None = None
    python_site_packages_path: str | None = None
    purls: list[str] | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An artifact, as an index states it before patches."""

    filename: str
    index: Index
    subdir: str
    size: int
    sha256: str
    md5: str
    #: Known (maybe empty), or None: unknown (CEP 21).
    run_exports: RunExports | None
    #: Milliseconds since 1970; set once by the yard and never changed (CEP 47).
    indexed_timestamp: int

    @property
    def name(self) -> str:
        """The package's name."""
        return self.index.name

    def repodata_entry(self) -> Entry:
        """The entry with ``run_exports`` in it; `repodata.encode_repodata` leaves them out."""
        entry: Entry = msgspec.to_builtins(self.index)
        # Older clients index these directly, so they are there even when empty.
        entry.setdefault("depends", [])
        entry |= {
            "subdir": self.subdir,
            "size": self.size,
            "sha256": self.sha256,
            "md5": self.md5,
            "indexed_timestamp": self.indexed_timestamp,
        }
        if self.run_exports is not None:
            entry["run_exports"] = self.run_exports
        return dict(sorted(entry.items()))


def read_record(
    index_json: bytes,
    *,
    filename: str,
    subdir: str,
    size: int,
    sha256: str,
    md5: str,
    run_exports: Mapping[str, Sequence[str]] | None,
    indexed_timestamp: int,
) -> Record:
    """Check a package's metadata against its file name and place.  Raises BadInput.

    ``run_exports`` is what `PackageContents.run_exports` says; None means unknown.
    """
    where = Where(file=f"{filename}:info/index.json")
    index = _decode(index_json, where)
    _check_place(index, ArtifactName.parse(filename), check_subdir(subdir), where)
    _check_specs("depends", index.depends, where)
    _check_specs("constrains", index.constrains, where)
    _check_numbers(index, size, indexed_timestamp, where)
    for kind, value in (("sha256", sha256), ("md5", md5)):
        if not _HEX[kind].fullmatch(value):
            raise BadRecord(f"{value!r} is not a {kind}", where=where)
    return Record(
        filename=filename,
        index=index,
        subdir=subdir,
        size=size,
        sha256=sha256,
        md5=md5,
        run_exports=None if run_exports is None else normal_run_exports(run_exports),
        indexed_timestamp=indexed_timestamp,
    )


def normal_run_exports(given: object) -> RunExports:
    """Run exports in their dictionary form, sorted and without empty kinds (CEP 34).

    A plain list means ``weak``.  Raises BadRecord.
    """
    if isinstance(given, list | tuple):
        given = {"weak": given}
    if not isinstance(given, Mapping):
        raise BadRecord(f"run_exports are neither a list nor a mapping: {given!r}")
    normal: RunExports = {}
    for kind in RUN_EXPORT_KINDS:
        specs = given.get(kind) or []
        if isinstance(specs, str) or not all(isinstance(spec, str) for spec in specs):
            raise BadRecord(f"run_exports.{kind} is not a list of specs: {specs!r}")
        if specs:
            normal[kind] = sorted(specs)
    return normal


def _decode(index_json: bytes, where: Where) -> Index:
    try:
        return msgspec.json.decode(index_json, type=Index)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRecord(f"Not valid package metadata: {error}", where=where) from error


def _check_place(index: Index, name: ArtifactName, subdir: str, where: Where) -> None:
    check_package_name(index.name)
    for field, inside, outside in (
        ("name", index.name, name.name),
        ("version", index.version, name.version),
        ("build", index.build, name.build),
    ):
        if inside != outside:
            raise FilenameMismatch(
                f"The file is called {name}, but the {field} inside is {inside!r}",
                hint="Do not rename package files.",
                where=where,
            )
    if index.subdir is not None and index.subdir != subdir:
        raise SubdirMismatch(
            f"{name} is made for {index.subdir} and cannot go into {subdir}", where=where
        )
    if index.noarch and subdir != "noarch":
        raise SubdirMismatch(f"{name} is noarch and cannot go into {subdir}", where=where)


def _check_specs(field: str, specs: list[str], where: Where) -> None:
    for i, spec in enumerate(specs):
        try:
            MatchSpec(spec)
        except InvalidMatchSpecError as error:
            raise BadRecord(
                f"{spec!r} is not a match spec: {error}",
                where=msgspec.structs.replace(where, field=f"{field}.{i}"),
            ) from error


def _check_numbers(index: Index, size: int, indexed_timestamp: int, where: Where) -> None:
    if index.build_number < 0:
        raise BadRecord(f"The build number {index.build_number} is negative", where=where)
    if size <= 0:
        raise BadRecord("The file is empty", where=where)
    if index.timestamp is not None and index.timestamp > indexed_timestamp:
        raise BadRecord(
            "The package's timestamp lies in the future (CEP 47)",
            code="timestamp_in_future",
            hint="Check the clock of the machine that built it.",
            where=where,
        )
