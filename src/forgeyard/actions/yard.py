"""A yard, opened: settings, store, objects and signing key, and where its files lie."""

from __future__ import annotations

import os
import secrets
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from forgeyard.errors import BadInput
from forgeyard.farm.pool import Pool, Resources
from forgeyard.objects.store import ObjectStore
from forgeyard.settings import FILENAME, PoolSettings, Settings, load_settings
from forgeyard.signing.key import SigningKey
from forgeyard.store.engine import Store, sqlite_url
from forgeyard.store.upgrade import upgrade

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
#: What a pool may take of this machine's memory when the settings do not say.
_MEMORY_SHARE = 0.75


class Yard:
    """One installation, opened by this process."""

    def __init__(self, directory: Path, settings: Settings) -> None:
        self.directory = directory
        self.settings = settings
        self.store = Store(settings.database.url or sqlite_url(directory / "yard.db"))
        self.objects = ObjectStore(directory / "objects")
        self.signing_key = SigningKey.load_or_create(directory / "keys" / "yard.pem")
        self._id_lock = threading.Lock()
        self._last_id = 0

    @classmethod
    def create(cls, directory: Path, toml: str) -> Yard:
        """Make a yard in an empty or new folder.  Raises BadInput where one is already."""
        if (directory / FILENAME).exists():
            raise BadInput(
                f"{directory} is a yard already",
                code="yard_exists",
                hint="Use it as it is, or choose another folder.",
            )
        for name in ("objects", "pinning", "work", "logs", "keys"):
            (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / "keys").chmod(0o700)
        (directory / FILENAME).write_text(toml)
        return cls.open(directory)

    @classmethod
    def open(cls, directory: Path) -> Yard:
        """Open a yard and bring its database's schema up to date."""
        directory = directory.resolve()
        yard = cls(directory, load_settings(directory / FILENAME))
        upgrade(yard.store)
        return yard

    def close(self) -> None:
        """Give connections back."""
        self.store.close()

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)

    def new_id(self, prefix: str) -> str:
        """A short id that sorts by time: ``b-01h8…``."""
        with self._id_lock:
            self._last_id = max(self._last_id + 1, time.time_ns() // 1000)
            number = self._last_id
        text = ""
        for _ in range(11):
            number, digit = divmod(number, 32)
            text = _ALPHABET[digit] + text
        return f"{prefix}-{text}{secrets.choice(_ALPHABET)}{secrets.choice(_ALPHABET)}"

    def folder(self, name: str) -> Path:
        """A folder inside the yard, made when it is not there."""
        path = self.directory / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def pinning_files(self) -> list[Path]:
        """The yard's variant configuration, in the order of file names."""
        return sorted((self.directory / "pinning").glob("*.yaml"))

    def pools(self) -> list[Pool]:
        """The pools that the settings describe."""
        platform = self.settings.yard.platforms[0]
        return [
            _pool(name, settings, platform, self.directory)
            for name, settings in self.settings.pools.items()
        ]


def _pool(name: str, settings: PoolSettings, platform: str, directory: Path) -> Pool:
    cpu = settings.cpu or len(os.sched_getaffinity(0))
    memory = int(settings.memory_gib * 2**30) or int(_machine_memory() * _MEMORY_SHARE)
    disk = int(settings.disk_gib * 2**30) or _free_disk(directory)
    return Pool(
        name=name,
        platform=platform,
        capacity=Resources(cpu=cpu, memory_bytes=memory, disk_bytes=disk, gpus=settings.gpus),
        build_threads=settings.build_threads or min(cpu, 4),
        feedstocks=settings.feedstocks,
    )


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _free_disk(directory: Path) -> int:
    facts = os.statvfs(directory)
    return facts.f_bavail * facts.f_frsize
