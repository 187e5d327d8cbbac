"""Bytes with validators and ranges (RFC 9110 §8.8, §13, §14; RFC 9111)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from fastapi import Request, Response
from starlette.responses import FileResponse, StreamingResponse

from forgeyard.actions.yard import Yard

#: Documents that move: a client may keep them, but asks each time whether they are current.
MOVING = "public, max-age=0, must-revalidate"
IMMUTABLE = "public, max-age=31536000, immutable"

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def serve_bytes(
    request: Request,
    data: bytes,
    etag: str,
    *,
    media_type: str,
    cache_control: str = MOVING,
    modified: datetime | None = None,
) -> Response:
    """A document in memory."""
    headers = _headers(etag, cache_control, modified)
    if _not_modified(request, headers):
        return Response(status_code=304, headers=headers)
    headers["Accept-Ranges"] = "bytes"
    wanted = _range(request, len(data), headers)
    if wanted is None:
        return Response(data, headers=headers, media_type=media_type)
    first, last = wanted
    if first > last or first >= len(data):
        headers["Content-Range"] = f"bytes */{len(data)}"
        return Response(status_code=416, headers=headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    return Response(data[first : last + 1], 206, headers, media_type)


def serve_object(
    yard: Yard,
    request: Request,
    sha256: str,
    *,
    media_type: str = "application/octet-stream",
    cache_control: str = IMMUTABLE,
    modified: datetime | None = None,
) -> Response:
    """An object of the store, from its file where it has one.  Raises MissingObject."""
    headers = _headers(sha256, cache_control, modified)
    size = yard.objects.size(sha256)
    if _not_modified(request, headers):
        return Response(status_code=304, headers=headers)
    path = yard.objects.local_path(sha256)
    if path is not None:
        return FileResponse(path, headers=headers, media_type=media_type)
    headers["Content-Length"] = str(size)
    return StreamingResponse(yard.objects.stream(sha256), headers=headers, media_type=media_type)


def _headers(etag: str, cache_control: str, modified: datetime | None) -> dict[str, str]:
    headers = {"ETag": f'"{etag}"', "Cache-Control": cache_control}
    if modified is not None:
        headers["Last-Modified"] = format_datetime(modified.astimezone(UTC), usegmt=True)
    return headers


def _not_modified(request: Request, headers: dict[str, str]) -> bool:
    """If-None-Match rules; If-Modified-Since counts only without it."""
    asked = request.headers.get("if-none-match")
    if asked is not None:
        tags = {tag.strip().removeprefix("W/") for tag in asked.split(",")}
        return "*" in tags or headers["ETag"] in tags
    since = request.headers.get("if-modified-since")
    if since is None or "Last-Modified" not in headers:
        return False
    try:
        return parsedate_to_datetime(headers["Last-Modified"]) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):
        return False


def _range(request: Request, size: int, headers: dict[str, str]) -> tuple[int, int] | None:
    """First and last byte of the one range that was asked for; None: all of it."""
    condition = request.headers.get("if-range")
    if condition is not None and condition not in (headers["ETag"], headers.get("Last-Modified")):
        return None
    match = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if match is None or match.group(0) == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        return max(size - int(last), 0), size - 1
    return int(first), min(int(last), size - 1) if last else size - 1
