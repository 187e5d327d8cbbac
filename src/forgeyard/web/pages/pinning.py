"""Which variant keys tell builds apart: those with several values in the yard's pinning."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

log = structlog.get_logger()


class MovingKeys:
    """Read from the pinning's files, and again when they change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: tuple[tuple[str, int], ...] | None = None
        self._keys: frozenset[str] | None = None

    def of(self, files: Iterable[Path]) -> frozenset[str] | None:
        """The keys; None when the files cannot be read."""
        paths = list(files)
        try:
            state = tuple((str(path), path.stat().st_mtime_ns) for path in paths)
            with self._lock:
                if state != self._state:
                    self._keys = _moving(paths)
                    self._state = state
                return self._keys
        except (OSError, UnicodeDecodeError, YAMLError) as error:
            log.warning("web.pinning", error=str(error))
            return None


def _moving(paths: list[Path]) -> frozenset[str]:
    found: set[str] = set()
    for path in paths:
        document = YAML(typ="safe", pure=True).load(path.read_text())
        if isinstance(document, dict):
            found |= {str(key) for key, values in document.items() if _several(key, values)}
    return frozenset(found)


def _several(key: Any, values: Any) -> bool:
    return key != "zip_keys" and isinstance(values, list) and len(values) > 1
