"""A feedstock's folder as one archive: the same files always give the same bytes."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import zstandard

from forgeyard.errors import BadInput, Where

#: Recipes, patches and small test data; sources belong under ``source:``.
MOST_BYTES = 50 * 2**20
_SKIPPED = frozenset({".git", "__pycache__", ".pixi", "output"})
_RECIPE = "recipe.yaml"


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """A packed folder: ``tar.zst`` bytes, their sha256, and the files inside."""

    data: bytes
    digest: str
    files: tuple[str, ...]


def pack_folder(folder: Path) -> Archive:
    """Pack a folder without its version control and caches.

    Order, times, owners and permissions (but the executable bit) are normalised.  Raises
    BadInput for a link that leads out of the folder and for a folder that is too large.
    """
    buffer = io.BytesIO()
    names: list[str] = []
    total = 0
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in _files(folder, folder):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                _add_link(tar, folder, path, name)
            else:
                total += path.stat().st_size
                if total > MOST_BYTES:
                    raise BadInput(
                        f"the feedstock {folder.name} is larger than {MOST_BYTES >> 20} MiB",
                        code="feedstock_too_large",
                        where=Where(file=name),
                        hint="List large files under source: in the recipe.",
                    )
                _add_file(tar, path, name)
            names.append(name)
    data = zstandard.ZstdCompressor(level=9).compress(buffer.getvalue())
    return Archive(data=data, digest=hashlib.sha256(data).hexdigest(), files=tuple(names))


def unpack_archive(data: bytes, folder: Path) -> None:
    """Unpack into a new folder; nothing can be written outside it."""
    folder.mkdir(parents=True, exist_ok=True)
    limit = 2 * MOST_BYTES
    plain = zstandard.ZstdDecompressor().decompress(data, max_output_size=limit)
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        tar.extractall(folder, filter="data")


def find_recipes(tree: Path) -> list[Path]:
    """Folders with a recipe, sorted; a ``recipe`` folder counts as its parent."""
    found = set()
    for path in _files(tree, tree):
        if path.name == _RECIPE:
            folder = path.parent
            found.add(folder.parent if folder.name == "recipe" and folder != tree else folder)
    return sorted(found)


def _files(folder: Path, root: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        if path.name in _SKIPPED:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path, root)
        elif path.is_file() or path.is_symlink():
            yield path


def _add_file(tar: tarfile.TarFile, path: Path, name: str) -> None:
    data = path.read_bytes()
    info = tarfile.TarInfo(name)
    info.size = len(data)
    info.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    tar.addfile(info, io.BytesIO(data))


def _add_link(tar: tarfile.TarFile, folder: Path, path: Path, name: str) -> None:
    target = (path.parent / path.readlink()).resolve()
    if not target.is_relative_to(folder.resolve()) or path.readlink().is_absolute():
        raise BadInput(
            f"{name} is a link that leads out of the feedstock",
            code="feedstock_link",
            where=Where(file=name),
            hint="Replace the link by a copy of the file.",
        )
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, str(path.readlink())
    tar.addfile(info)
