"""Bytes by their sha256: artifacts, sources, logs, locks, shards, archives, statements."""

from forgeyard.objects.backend import DigestMismatch, MissingObject
from forgeyard.objects.store import ObjectStore
from forgeyard.objects.writer import ObjectWriter

__all__ = ["DigestMismatch", "MissingObject", "ObjectStore", "ObjectWriter"]
