"""Decompressed streams that end where they should and never grow past a limit.

A package file comes from a build, which is not trusted: a few kilobytes may unfold to
terabytes, and a file cut off in the middle must not look like a short one.
"""

from __future__ import annotations

import bz2
import io
from typing import BinaryIO

import zstandard

from forgeyard.errors import BadInput

#: conda-build's highest setting; more would only cost the reader memory.
_LARGEST_WINDOW = 2**27
#: zstd unfolds at most 128 KiB for each 4 bytes, so one piece stays within 128 MiB.
_PIECE = 4096


class TruncatedPackage(BadInput):
    """The file ends too early."""

    code = "truncated_package"


class PackageTooLarge(BadInput):
    """The package unfolds to more than is allowed."""

    code = "package_too_large"


class _Limited(io.RawIOBase):
    """Gives on what ``_more`` produces, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._given = 0
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._waiting:
            self._waiting = self._more()
            self._given += len(self._waiting)
            if self._given > self._limit:
                raise PackageTooLarge(f"The package unfolds to more than {self._limit} bytes")
        part = self._waiting[: len(buffer)]
        buffer[: len(part)] = part
        self._waiting = self._waiting[len(part) :]
        return len(part)

    def _more(self) -> bytes:
        raise NotImplementedError


class ZstdStream(_Limited):
    """Decompresses zstd, also of several frames."""

    def __init__(self, source: BinaryIO, limit: int) -> None:
        super().__init__(limit)
        self._source = source
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        self._frame = self._decompressor.decompressobj()
        self._rest = b""
        self._within_frame = False

    def _more(self) -> bytes:
        while True:
            piece = self._rest or self._source.read(_PIECE)
            self._rest = b""
            if not piece:
                if self._within_frame:
                    raise TruncatedPackage("The compressed data ends too early")
                return b""
            self._within_frame = True
            data = self._frame.decompress(piece)
            if self._frame.eof:
                self._rest = self._frame.unused_data
                self._frame = self._decompressor.decompressobj()
                self._within_frame = False
            if data:
                return data


class Bzip2Stream(_Limited):
    """Decompresses bzip2."""

    def __init__(self, source: BinaryIO, limit: int) -> None:
        super().__init__(limit)
        self._file = bz2.BZ2File(source)

    def _more(self) -> bytes:
        try:
            return self._file.read(2**16)
        except EOFError as error:
            raise TruncatedPackage("The compressed data ends too early") from error
