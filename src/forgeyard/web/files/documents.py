"""``repodata.json``, ``run_exports.json`` and ``channeldata.json`` of a publication.

They are made when the first client asks for them and kept in memory until newer ones
push them out.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from forgeyard.actions.yard import Yard
from forgeyard.channels.frame import encode_zst
from forgeyard.channels.relations import label_relations
from forgeyard.channels.repodata import encode_repodata
from forgeyard.channels.run_exports import encode_run_exports
from forgeyard.store.reading import packages
from forgeyard.web.files.resolved import Resolved, entries_of

_MOST_BYTES = 256 * 2**20


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes, ready to be served."""

    data: bytes
    #: sha256 of ``data``: the strong validator.
    digest: str


class Documents:
    """Documents by (publication, kind); each is made once, however many ask at a time."""

    def __init__(self, yard: Yard) -> None:
        self._yard = yard
        self._made: OrderedDict[tuple[str, str], Document] = OrderedDict()
        self._lock = threading.Lock()
        self._making: dict[tuple[str, str], threading.Lock] = {}

    def get(self, resolved: Resolved, name: str) -> Document:
        """A document of a publication, by its file name."""
        place = f"{resolved.channel}/{resolved.label}/{resolved.subdir}/{resolved.digest}"
        if name.endswith(".zst"):
            plain = name.removesuffix(".zst")
            return self._once(place, name, lambda: encode_zst(self.get(resolved, plain).data))
        encode = _run_exports if name == "run_exports.json" else _repodata
        return self._once(place, name, lambda: encode(self._yard, resolved))

    def channeldata(self, channel_id: str, state: str, subdirs: Iterable[str]) -> Document:
        """What a channel holds, package by package; ``state`` names its publications."""
        return self._once(
            f"{channel_id}/{state}",
            "channeldata.json",
            lambda: _channeldata(self._yard, channel_id, subdirs),
        )

    def _once(self, place: str, name: str, make: Callable[[], bytes]) -> Document:
        key = (place, name)
        with self._lock:
            found = self._made.get(key)
            if found is not None:
                self._made.move_to_end(key)
                return found
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._made:
                    return self._made[key]
            data = make()
            document = Document(data=data, digest=hashlib.sha256(data).hexdigest())
            self._keep(key, document)
            return document

    def _keep(self, key: tuple[str, str], document: Document) -> None:
        with self._lock:
            self._making.pop(key, None)
            self._made[key] = document
            while len(self._made) > 1 and self._size() > _MOST_BYTES:
                self._made.popitem(last=False)

    def _size(self) -> int:
        return sum(len(document.data) for document in self._made.values())


def _repodata(yard: Yard, resolved: Resolved) -> bytes:
    entries, removed = entries_of(yard, resolved)
    return encode_repodata(resolved.subdir, entries, removed, label_relations(resolved.label))


def _run_exports(yard: Yard, resolved: Resolved) -> bytes:
    return encode_run_exports(resolved.subdir, entries_of(yard, resolved)[0])


def _channeldata(yard: Yard, channel_id: str, subdirs: Iterable[str]) -> bytes:
    with yard.store.read() as connection:
        found = packages.of_channel(connection, channel_id)
    listed: dict[str, Any] = {
        package.name: {
            "version": package.version,
            "summary": package.summary,
            "license": package.license,
            "home": package.home,
            "subdirs": list(package.subdirs),
            "timestamp": int(package.published_at.timestamp() * 1000),
        }
        for package in found
    }
    return msgspec.json.encode(
        {"channeldata_version": 1, "packages": listed, "subdirs": sorted(subdirs)}
    )
