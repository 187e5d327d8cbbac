"""Where clients find a channel: ``/channels/CHANNEL[/label/LABEL]/SUBDIR/FILE``.

Compressed documents are opaque files and never say ``Content-Encoding``: conda would
decompress them twice.  What is not there says ``no-store``: clients remember it for days.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from forgeyard.actions.members import authenticate
from forgeyard.actions.yard import Yard
from forgeyard.channels.names import EXTENSIONS, KNOWN_SUBDIRS, MAIN_LABEL
from forgeyard.channels.notices import encode_notices
from forgeyard.channels.shards import INDEX_FILENAME
from forgeyard.errors import NotFound
from forgeyard.store import channels
from forgeyard.store.tables import labels, publications
from forgeyard.web.authentication import Reader, YardHere
from forgeyard.web.files.bytes import serve_bytes, serve_object
from forgeyard.web.files.documents import Document, Documents
from forgeyard.web.files.resolved import index_of, known_channel, resolve

router = APIRouter(include_in_schema=False)

_SHARD = re.compile(r"shards/([0-9a-f]{64})\.msgpack\.zst")
#: Old clients ask for the current versions only; they get all.
_DOCUMENTS = {
    "repodata.json": "repodata.json",
    "repodata.json.zst": "repodata.json.zst",
    "current_repodata.json": "repodata.json",
    "current_repodata.json.zst": "repodata.json.zst",
    "run_exports.json": "run_exports.json",
    "run_exports.json.zst": "run_exports.json.zst",
}
_JSON, _ZST = "application/json", "application/zstd"


def documents_of(request: Request) -> Documents:
    """The documents that this process keeps."""
    documents: Documents = request.app.state.documents
    return documents


DocumentsHere = Annotated[Documents, Depends(documents_of)]


@router.api_route("/channels/{channel}/{path:path}", methods=["GET", "HEAD"], dependencies=[Reader])
def channel_file(
    yard: YardHere, documents: DocumentsHere, request: Request, channel: str, path: str
) -> Response:
    """A file of a channel."""
    if not path:
        return RedirectResponse(f"/channels/{channel}")
    return _serve(yard, documents, request, channel, path)


@router.api_route("/t/{token}/channels/{channel}/{path:path}", methods=["GET", "HEAD"])
def channel_file_with_token(
    yard: YardHere,
    documents: DocumentsHere,
    request: Request,
    token: str,
    channel: str,
    path: str,
) -> Response:
    """The same for clients that carry their token in the address."""
    authenticate(yard, token)
    served = _serve(yard, documents, request, channel, path)
    # A cache between us must not give to others what one token opened.
    served.headers["Cache-Control"] = served.headers["Cache-Control"].replace("public", "private")
    return served


def _serve(yard: Yard, documents: Documents, request: Request, channel: str, path: str) -> Response:
    label, subdir, file = _parts(path)
    if not subdir:
        return _root_file(yard, documents, request, channel, label, file)
    if shard := _SHARD.fullmatch(file):
        return serve_object(yard, request, shard.group(1), media_type=_ZST)
    if file.endswith(EXTENSIONS):
        return _package(yard, request, channel, subdir, file)
    if file != INDEX_FILENAME and file not in _DOCUMENTS:
        raise NotFound(f"there is no {path} in the channel {channel}", code="file_unknown")
    resolved = resolve(yard, channel, label, subdir)
    if file == INDEX_FILENAME:
        return serve_bytes(
            request,
            index_of(yard, resolved),
            resolved.digest,
            media_type=_ZST,
            modified=resolved.created_at,
        )
    document = documents.get(resolved, _DOCUMENTS[file])
    kind = _ZST if file.endswith(".zst") else _JSON
    return serve_bytes(
        request, document.data, document.digest, media_type=kind, modified=resolved.created_at
    )


def _parts(path: str) -> tuple[str, str, str]:
    """Label, subdir (empty at the root) and file.  A label may itself hold slashes."""
    pieces = path.split("/")
    place = next((i for i, piece in enumerate(pieces[:-1]) if piece in KNOWN_SUBDIRS), None)
    before = pieces[:-1] if place is None else pieces[:place]
    label = MAIN_LABEL
    if before:
        if before[0] != "label" or len(before) < 2:
            raise NotFound(f"there is no {path} in this channel", code="file_unknown")
        label = "/".join(before[1:])
    if place is None:
        return label, "", pieces[-1]
    return label, pieces[place], "/".join(pieces[place + 1 :])


def _package(yard: Yard, request: Request, channel: str, subdir: str, file: str) -> Response:
    with yard.store.read() as connection:
        row = channels.by_name(connection, channel)
        found = channels.file(connection, row.id, subdir, file) if row else None
    if found is None:
        raise NotFound(f"there is no {subdir}/{file} in the channel {channel}", code="file_unknown")
    return serve_object(yard, request, found.sha256, modified=found.created_at)


def _root_file(
    yard: Yard, documents: Documents, request: Request, channel: str, label: str, file: str
) -> Response:
    with yard.store.read() as connection:
        row = known_channel(connection, channel, label)
        current = connection.execute(
            select(publications.c.id, publications.c.subdir)
            .join(labels, labels.c.publication_id == publications.c.id)
            .where(labels.c.channel_id == row.id, labels.c.label == label)
            .order_by(publications.c.id)
        ).all()
    if file == "notices.json":
        data = encode_notices()
        document = Document(data=data, digest=hashlib.sha256(data).hexdigest())
    elif file == "channeldata.json":
        state = f"{label}/" + ",".join(p.id for p in current)
        document = documents.channeldata(row.id, state, [p.subdir for p in current])
    else:
        raise NotFound(f"there is no {file} in the channel {channel}", code="file_unknown")
    return serve_bytes(request, document.data, document.digest, media_type=_JSON)
