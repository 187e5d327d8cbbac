"""Bodies of uploads go to disk piece by piece, never into memory as a whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from forgeyard.actions.yard import Yard
from forgeyard.errors import BadInput

_PIECE = 2**20


class TooLarge(BadInput):
    """More bytes than are taken."""

    code = "too_large"


@asynccontextmanager
async def spooled(request: Request, yard: Yard, most: int) -> AsyncIterator[Path]:
    """The body as a file that is gone afterwards.  Raises TooLarge."""
    folder = yard.folder("incoming")
    descriptor, name = await run_in_threadpool(tempfile.mkstemp, dir=folder, prefix="in-")
    path = Path(name)
    try:
        os.close(descriptor)
        with path.open("wb") as file:
            await _fill(request, file, most)
        yield path
    finally:
        path.unlink(missing_ok=True)


async def whole_body(request: Request, most: int) -> bytes:
    """A small body.  Raises TooLarge."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        _check(len(data), most)
    return bytes(data)


async def _fill(request: Request, file: BinaryIO, most: int) -> None:
    size, waiting = 0, bytearray()
    async for piece in request.stream():
        size += len(piece)
        _check(size, most)
        waiting += piece
        # Writing may wait for the disk, so it does not happen on the event loop.
        if len(waiting) >= _PIECE:
            await run_in_threadpool(file.write, bytes(waiting))
            waiting.clear()
    await run_in_threadpool(file.write, bytes(waiting))


def _check(size: int, most: int) -> None:
    if size > most:
        raise TooLarge(f"more than the {most} bytes that are taken here")
