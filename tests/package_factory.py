"""Package files made from nothing, right and wrong ones."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from typing import Any

import zstandard

INDEX: dict[str, Any] = {
    "name": "hello",
    "version": "1.0",
    "build": "h0_0",
    "build_number": 0,
    "depends": ["zlib >=1.3"],
    "subdir": "linux-64",
    "timestamp": 1_700_000_000_000,
    "license": "MIT",
}
FILES = {"bin/hello": b"#!/bin/sh\necho hello\n", "share/doc": b"words"}


def paths_json(files: dict[str, bytes], **placeholder: Any) -> dict[str, Any]:
    return {
        "paths_version": 1,
        "paths": [
            {
                "_path": path,
                "path_type": "hardlink",
                "sha256": hashlib.sha256(data).hexdigest(),
                "size_in_bytes": len(data),
                **placeholder,
            }
            for path, data in files.items()
        ],
    }


def info_files(
    files: dict[str, bytes] | None = None, extra: dict[str, Any] | None = None, **index: Any
) -> dict[str, bytes]:
    documents = {
        "info/index.json": INDEX | index,
        "info/paths.json": paths_json(FILES if files is None else files),
        "info/about.json": {"summary": "greets"},
        **(extra or {}),
    }
    return {
        name: value if isinstance(value, bytes) else json.dumps(value).encode()
        for name, value in documents.items()
    }


def tar(files: dict[str, bytes], members: list[tarfile.TarInfo] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in members or []:
            archive.addfile(member)
    return buffer.getvalue()


def conda(
    info: bytes | None = None,
    payload: bytes | None = None,
    *,
    distribution: str = "hello-1.0-h0_0",
    metadata: bytes = b'{"conda_pkg_format_version": 2}',
    compression: int = zipfile.ZIP_STORED,
) -> bytes:
    """A ``.conda`` of two tar archives."""
    buffer = io.BytesIO()
    squeeze = zstandard.ZstdCompressor().compress
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("metadata.json", metadata)
        archive.writestr(f"pkg-{distribution}.tar.zst", squeeze(payload or tar(FILES)))
        archive.writestr(f"info-{distribution}.tar.zst", squeeze(info or tar(info_files())))
    return buffer.getvalue()
