"""A feedstock's folder as one archive, and back.

The archive depends on names, contents and the executable bit, and on nothing else: a
clone, an unpacked archive and the folder itself give the same bytes.  So its digest says
whether a feedstock has changed.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec
import zstandard

from forgeyard.errors import BadInput, NotFound, Unavailable, Where

#: Never part of a feedstock.
IGNORED = frozenset({".git", ".hg", ".svn", "__pycache__", ".pixi"})
LARGEST_FEEDSTOCK = 50_000_000
MOST_FILES = 20_000

_RECIPE = "recipe.yaml"
_LEVEL = 9


class BadFolder(BadInput):
    """A folder cannot be a feedstock."""

    code = "bad_folder"


class BadArchive(BadInput):
    """Bytes are not the archive of a feedstock."""

    code = "bad_archive"


class FeedstockArchive(msgspec.Struct, frozen=True, kw_only=True):
    """A feedstock, packed."""

    #: ``tar.zst``.
    data: bytes
    #: sha256 (hex) of ``data``: its name in the object store.
    digest: str
    #: Paths in it, sorted.
    files: tuple[str, ...]


def pack_folder(folder: Path, largest: int = LARGEST_FEEDSTOCK) -> FeedstockArchive:
    """Pack a folder.  Raises BadFolder, naming the file that is in the way.

    Empty folders are left out, as git does.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise NotFound("There is no such folder", where=Where(file=str(folder)))
    paths = sorted(_files(folder), key=lambda path: path.as_posix())
    _check_size(folder, paths, largest)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in paths:
            _add(tar, folder, path)
    data = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True).compress(
        buffer.getvalue()
    )
    return FeedstockArchive(
        data=data,
        digest=hashlib.sha256(data).hexdigest(),
        files=tuple(path.as_posix() for path in paths),
    )


def unpack_archive(data: bytes, target: Path, largest: int = LARGEST_FEEDSTOCK) -> None:
    """Unpack into a new or empty folder.  Raises BadArchive; never writes outside it."""
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise BadFolder("The folder is not empty", where=Where(file=str(target)))
    try:
        # The archive's own overhead is at most some hundred bytes for each file.
        plain = _decompress(data, largest + 2048 * MOST_FILES)
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
            for count, member in enumerate(tar):
                if count >= MOST_FILES:
                    raise BadArchive(f"The archive holds more than {MOST_FILES} files")
                _extract(tar, member, target)
    except (tarfile.TarError, zstandard.ZstdError, EOFError, ValueError) as error:
        raise BadArchive(f"Not the archive of a feedstock: {error}") from error
    except OSError as error:
        raise Unavailable(f"Cannot unpack into {target}: {error}", code="unpack_failed") from error


def find_recipes(root: Path) -> list[Path]:
    """Every folder below ``root`` that is a feedstock, sorted.

    That is a folder with ``recipe.yaml``, or one with ``recipe/recipe.yaml`` as conda-forge's
    feedstocks have it.  Feedstocks do not lie inside each other.
    """
    found: list[Path] = []
    todo = [root]
    while todo:
        folder = todo.pop()
        if is_feedstock(folder):
            found.append(folder)
            continue
        todo += [
            child
            for child in _children(folder)
            if child.is_dir() and not child.is_symlink() and child.name not in IGNORED
        ]
    return sorted(found)


def is_feedstock(folder: Path) -> bool:
    """Whether the folder holds one recipe."""
    if (folder / _RECIPE).is_file():
        return True
    if not (folder / "recipe" / _RECIPE).is_file():
        return False
    # In a collection of recipes, one of them may well be called "recipe".
    return (folder / "conda-forge.yml").is_file() or not any(
        (child / _RECIPE).is_file() for child in _children(folder) if child.name != "recipe"
    )


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise BadFolder(
            f"Cannot read the folder: {error.strerror}", where=Where(file=str(folder))
        ) from error


def _files(folder: Path) -> Iterator[Path]:
    """Paths of files and links below the folder, relative to it."""
    todo = [folder]
    while todo:
        for path in _children(todo.pop()):
            if path.name in IGNORED:
                continue
            relative = path.relative_to(folder)
            where = Where(file=str(relative))
            try:
                relative.as_posix().encode()
            except UnicodeEncodeError as error:
                raise BadFolder("The file's name is not UTF-8", where=where) from error
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode):
                todo.append(path)
            elif stat.S_ISLNK(mode):
                _check_link(relative, str(path.readlink()), where)
                yield relative
            elif stat.S_ISREG(mode):
                yield relative
            else:
                raise BadFolder("Neither a file nor a folder nor a link", where=where)


def _check_link(path: Path, target: str, where: Where) -> None:
    """The link's target must lie in the folder, whatever is there.

    Steps up are only allowed first: after a name they could climb out of what another link
    leads to.
    """
    parts = PurePosixPath(target).parts
    ups = sum(part == ".." for part in parts)
    climbs = ups > len(path.parts) - 1 or ".." in parts[ups:]
    if PurePosixPath(target).is_absolute() or climbs:
        raise BadFolder(
            f"The link leads out of the feedstock, to {target}",
            hint="Put a copy of the file in its place.",
            where=where,
        )


def _check_size(folder: Path, paths: list[Path], largest: int) -> None:
    if len(paths) > MOST_FILES:
        raise BadFolder(
            f"The feedstock holds {len(paths)} files; at most {MOST_FILES} are allowed",
            code="feedstock_too_large",
            where=Where(file=str(folder)),
        )
    sizes = {path: (folder / path).lstat().st_size for path in paths}
    total = sum(sizes.values())
    if total > largest:
        top = sorted(paths, key=lambda path: sizes[path], reverse=True)[:3]
        named = ", ".join(f"{path} ({sizes[path] / 1e6:.1f} MB)" for path in top)
        raise BadFolder(
            f"The feedstock has {total / 1e6:.1f} MB; at most {largest / 1e6:.0f} are allowed",
            code="feedstock_too_large",
            hint=f"Sources belong into the recipe's 'source' section. Largest here: {named}.",
            where=Where(file=str(folder)),
        )


def _add(tar: tarfile.TarFile, folder: Path, path: Path) -> None:
    member = tarfile.TarInfo(path.as_posix())
    member.mtime = 0
    full = folder / path
    if full.is_symlink():
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, str(full.readlink()), 0o777
        tar.addfile(member)
        return
    try:
        # Should it have become a link meanwhile, it is not followed.
        descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise BadFolder(
            f"Cannot read the file: {error.strerror}", where=Where(file=str(path))
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        content = file.read()
        executable = os.fstat(descriptor).st_mode & 0o100
    member.size, member.mode = len(content), 0o755 if executable else 0o644
    tar.addfile(member, io.BytesIO(content))


def _decompress(data: bytes, most: int) -> bytes:
    size = zstandard.frame_content_size(data)
    if size < 0:
        raise BadArchive("The archive does not state its size")
    if size > most:
        raise BadArchive(f"The archive unfolds to {size} bytes; at most {most} are allowed")
    return zstandard.ZstdDecompressor().decompress(data)


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or not name.parts:
        raise BadArchive(f"{member.name!r} leads out of the archive")
    path = target / name
    parent = path.parent
    if any(folder.is_symlink() for folder in (parent, *parent.parents) if folder != target):
        raise BadArchive(f"{member.name!r} would be written through a link")
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    parent.mkdir(parents=True, exist_ok=True)
    if member.issym():
        try:
            _check_link(Path(name), member.linkname, Where(file=member.name))
        except BadFolder as error:
            raise BadArchive(error.message, where=error.where) from error
        path.symlink_to(member.linkname)
    elif member.isfile():
        content = tar.extractfile(member)
        mode = 0o755 if member.mode & 0o100 else 0o644
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.read() if content else b"")
        path.chmod(mode)
    else:
        raise BadArchive(f"{member.name!r} is neither a file nor a link")
