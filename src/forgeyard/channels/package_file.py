"""Package files: ``.conda`` and ``.tar.bz2`` (CEP 35), and what is in them (CEP 34).

Reads a binary file object and nothing else; nothing is unpacked to disk.  Whatever is
wrong with the file is a typed BadInput.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import PurePosixPath
from typing import IO, Any, BinaryIO, Literal, cast

import msgspec
import zstandard

from forgeyard.channels.names import ArtifactName
from forgeyard.channels.record import RunExports, normal_run_exports
from forgeyard.channels.streams import (
    Bzip2Stream,
    PackageTooLarge,
    TruncatedPackage,
    ZstdStream,
)
from forgeyard.errors import BadInput, Where

#: Largest metadata file, all metadata together, and the number of files.
LARGEST_INFO_FILE = 64 * 2**20
LARGEST_INFO = 512 * 2**20
LARGEST_PAYLOAD = 64 * 2**30
MOST_MEMBERS = 2_000_000

_PIECE = 2**20
_METADATA = ("index.json", "paths.json", "about.json", "run_exports.json", "link.json")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BadPackage(BadInput):
    """The file is not a well-formed conda package."""

    code = "bad_package"


class UnsafePackage(BadPackage):
    """Unpacking the file would write outside its own folder."""

    code = "unsafe_package"


class PayloadMismatch(BadPackage):
    """The files of a package are not those that it lists."""

    code = "payload_mismatch"


class PathEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file of a package, as ``info/paths.json`` lists it."""

    path: str = msgspec.field(name="_path")
    path_type: Literal["hardlink", "softlink", "directory"] = "hardlink"
    sha256: str | None = None
    size_in_bytes: int | None = None
    #: Replaced by the place of the environment at installation, as text or in a binary.
    prefix_placeholder: str | None = None
    file_mode: Literal["binary", "text"] | None = None
    no_link: bool = False


class PackageContents(msgspec.Struct, frozen=True, kw_only=True):
    """What a package says of itself."""

    filename: str
    index: dict[str, Any]
    #: ``info/index.json`` as it is in the file.
    index_json: bytes
    paths: tuple[PathEntry, ...]
    about: dict[str, Any]
    #: Normal form; empty if the package exports nothing.
    run_exports: RunExports
    #: Files below ``info/recipe/``, if they were asked for.
    recipe: dict[str, bytes]
    #: Equal for two builds of the same content; see `_content_digest`.
    content_digest: str


class FileDigests(msgspec.Struct, frozen=True, kw_only=True):
    """What an index says of a file's bytes."""

    size: int
    sha256: str
    md5: str


class _Paths(msgspec.Struct, frozen=True, kw_only=True):
    paths_version: int
    paths: tuple[PathEntry, ...]


def digest_file(file: BinaryIO) -> FileDigests:
    """Size and digests of the rest of the file."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    while piece := file.read(_PIECE):
        sha256.update(piece)
        md5.update(piece)
        size += len(piece)
    return FileDigests(size=size, sha256=sha256.hexdigest(), md5=md5.hexdigest())


def read_package(
    file: BinaryIO, filename: str, *, with_recipe: bool = False, check_payload: bool = False
) -> PackageContents:
    """Read the metadata of a package from a seekable file.  Raises BadInput.

    With ``check_payload`` every file is read and compared with ``info/paths.json``; without
    it a ``.conda``'s payload is not touched.
    """
    name = ArtifactName.parse(filename)
    with _translated(filename):
        info = _read_info(file, name, with_recipe=with_recipe)
        contents = _contents(filename, info)
        if check_payload:
            _check_payload(file, name, contents.paths)
    return contents


def _read_info(file: BinaryIO, name: ArtifactName, *, with_recipe: bool) -> dict[str, bytes]:
    """Files below ``info/`` that matter, by their path below it."""
    info: dict[str, bytes] = {}
    total = 0
    for member, stream in _members(file, name, "info"):
        if member.name.split("/")[0] != "info" or not member.isfile():
            continue
        path = member.name.removeprefix("info/")
        if path not in _METADATA and not (with_recipe and path.startswith("recipe/")):
            continue
        if path in info:
            raise BadPackage(f"info/{path} is in the file twice")
        total += member.size
        if member.size > LARGEST_INFO_FILE or total > LARGEST_INFO:
            raise PackageTooLarge(f"info/{path} is larger than {LARGEST_INFO_FILE} bytes")
        info[path] = stream.read() if stream else b""
    return info


def _contents(filename: str, info: dict[str, bytes]) -> PackageContents:
    index = _document(info, "index.json", required=True)
    paths = _paths(info)
    run_exports = normal_run_exports(
        _json(info["run_exports.json"], "run_exports.json") if "run_exports.json" in info else {}
    )
    recipe = {
        path.removeprefix("recipe/"): data
        for path, data in sorted(info.items())
        if path.startswith("recipe/")
    }
    return PackageContents(
        filename=filename,
        index=index,
        index_json=info["index.json"],
        paths=paths,
        about=_document(info, "about.json"),
        run_exports=run_exports,
        recipe=recipe,
        content_digest=_content_digest(index, paths, run_exports, _document(info, "link.json")),
    )


def _content_digest(
    index: dict[str, Any],
    paths: tuple[PathEntry, ...],
    run_exports: RunExports,
    link: dict[str, Any],
) -> str:
    """sha256 over all that an installed package is made of, and nothing that merely happened.

    Left out: the time of the build, the order in which dependencies were written down,
    ``about.json`` and the recipe.
    """
    canonical_index = {key: value for key, value in index.items() if key != "timestamp"}
    for field in ("depends", "constrains"):
        canonical_index[field] = sorted(canonical_index.get(field) or [])
    payload = {
        "index": canonical_index,
        "link": link,
        "paths": sorted(
            (
                path.path,
                path.path_type,
                path.sha256 or "",
                path.size_in_bytes or 0,
                path.prefix_placeholder or "",
                (path.file_mode or "text") if path.prefix_placeholder else "",
                path.no_link,
            )
            for path in paths
        ),
        "run_exports": run_exports,
    }
    return hashlib.sha256(msgspec.json.encode(payload, order="sorted")).hexdigest()


def _paths(info: dict[str, bytes]) -> tuple[PathEntry, ...]:
    if "paths.json" not in info:
        raise BadPackage("info/paths.json is missing (CEP 34)")
    try:
        paths = msgspec.json.decode(info["paths.json"], type=_Paths).paths
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadPackage(f"info/paths.json: {error}") from error
    seen = set()
    for entry in paths:
        _check_path(entry.path)
        if entry.path.split("/")[0] == "info":
            raise BadPackage(f"info/paths.json lists {entry.path!r}, which is metadata")
        if entry.path in seen:
            raise BadPackage(f"info/paths.json lists {entry.path!r} twice")
        seen.add(entry.path)
        # A link may dangle until another package is there, and then has no digest.
        if entry.path_type == "hardlink" and not _SHA256.fullmatch(entry.sha256 or ""):
            raise BadPackage(f"info/paths.json has no sha256 for {entry.path!r}")
    return paths


def _check_path(path: str) -> None:
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path or "\0" in path:
        raise UnsafePackage(f"{path!r} leads out of the package")


def _json(data: bytes, name: str) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadPackage(f"info/{name} is not JSON: {error}") from error


def _document(info: dict[str, bytes], name: str, *, required: bool = False) -> dict[str, Any]:
    if name not in info:
        if required:
            raise BadPackage(f"info/{name} is missing (CEP 34)")
        return {}
    document = _json(info[name], name)
    if not isinstance(document, dict):
        raise BadPackage(f"info/{name} is not a mapping")
    return document


def _check_payload(file: BinaryIO, name: ArtifactName, paths: tuple[PathEntry, ...]) -> None:
    """Compare every file with its entry.

    A link has the digest of what it points to, which may lie in another package: only its
    presence is compared.
    """
    missing = {entry.path: entry for entry in paths if entry.path_type != "directory"}
    checked: dict[str, str | None] = {}
    links: set[str] = set()
    for member, stream in _members(file, name, "pkg"):
        if member.isdir() or member.name.split("/")[0] == "info":
            continue
        if any(str(parent) in links for parent in PurePosixPath(member.name).parents):
            raise UnsafePackage(f"{member.name!r} would be written through a link")
        entry = missing.pop(member.name, None)
        if entry is None:
            raise PayloadMismatch(f"{member.name!r} is not listed in info/paths.json")
        if member.issym():
            links.add(member.name)
        elif stream is not None:
            _check_file(stream, entry)
            checked[member.name] = entry.sha256
        elif checked.get(member.linkname.removeprefix("./")) != entry.sha256:
            raise PayloadMismatch(f"{member.name!r} is a link to a file with other content")
    if missing:
        raise PayloadMismatch(f"{min(missing)!r} is listed in info/paths.json but not there")


def _check_file(stream: IO[bytes], entry: PathEntry) -> None:
    digests = digest_file(cast(BinaryIO, stream))
    if digests.sha256 != entry.sha256:
        raise PayloadMismatch(f"{entry.path!r} has another sha256 than info/paths.json says")
    if entry.size_in_bytes not in (None, digests.size):
        raise PayloadMismatch(f"{entry.path!r} has another size than info/paths.json says")


def _members(
    file: BinaryIO, name: ArtifactName, part: Literal["info", "pkg"]
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """The members of one part in the order of the file, each with its stream."""
    limit = LARGEST_INFO if part == "info" else LARGEST_PAYLOAD
    file.seek(0)
    if name.extension == ".conda":
        with zipfile.ZipFile(file) as archive:
            _check_zip(archive)
            try:
                inner = archive.open(f"{part}-{name.distribution}.tar.zst")
            except KeyError:
                raise BadPackage(f"It holds no {part}-{name.distribution}.tar.zst") from None
            with inner:
                yield from _tar(BufferedReader(ZstdStream(cast(BinaryIO, inner), limit)))
    else:
        # One archive for both parts: the metadata may come last.
        yield from _tar(BufferedReader(Bzip2Stream(file, LARGEST_PAYLOAD)))


def _tar(stream: BufferedReader) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    count = 0
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            count += 1
            if count > MOST_MEMBERS:
                raise PackageTooLarge(f"The package holds more than {MOST_MEMBERS} files")
            member.name = member.name.removeprefix("./")
            if member.isdir() and member.name in ("", "."):
                continue
            _check_path(member.name)
            if member.islnk():
                _check_path(member.linkname.removeprefix("./"))
            elif not (member.isfile() or member.issym() or member.isdir()):
                raise UnsafePackage(f"{member.name!r} is a device or a pipe")
            yield member, tar.extractfile(member) if member.isfile() else None
            # tarfile remembers every member, which a large package does not need.
            cast(Any, tar).members.clear()
    # The end of the frame is only seen, and checked, by reading up to it.
    while stream.read(_PIECE):
        pass


def _check_zip(archive: zipfile.ZipFile) -> None:
    for member in archive.infolist():
        if member.compress_type != zipfile.ZIP_STORED:
            raise BadPackage(f"{member.filename} is compressed inside the zip (CEP 35)")
    if "metadata.json" not in archive.namelist():
        raise BadPackage("It holds no metadata.json (CEP 35)")
    metadata = archive.getinfo("metadata.json")
    if metadata.file_size > LARGEST_INFO_FILE:
        raise PackageTooLarge("metadata.json is too large")
    try:
        version = msgspec.json.decode(archive.read(metadata))["conda_pkg_format_version"]
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise BadPackage("metadata.json does not state the format's version") from error
    if version != 2:
        raise BadPackage(f"Version {version!r} of the .conda format is not known; 2 is")


@contextmanager
def _translated(filename: str) -> Iterator[None]:
    """Turn what the decoders say into errors that name the file."""
    try:
        yield
    except BadInput as error:
        error.where = error.where or Where(file=filename)
        raise
    except EOFError as error:
        raise _cut_off(error, filename) from error
    except zipfile.BadZipFile as error:
        # A zip's table of contents is at its end, so this is also what a cut-off file gives.
        raise BadPackage(
            f"Not a conda package: {error}",
            hint="The file may be cut off: send it again.",
            where=Where(file=filename),
        ) from error
    except (
        tarfile.TarError,
        zstandard.ZstdError,
        zlib.error,
        OSError,
        UnicodeError,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as error:
        if "unexpected end of data" in str(error):
            raise _cut_off(error, filename) from error
        raise BadPackage(f"Not a conda package: {error}", where=Where(file=filename)) from error


def _cut_off(error: Exception, filename: str) -> TruncatedPackage:
    return TruncatedPackage(f"The file is cut off: {error}", where=Where(file=filename))
