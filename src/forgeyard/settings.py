"""The yard's settings: ``forgeyard.toml``, with an environment variable for each value.

``FORGEYARD_SERVER_PORT=9000`` overrides ``port`` of the section ``[server]``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from forgeyard.builds.job import Limits
from forgeyard.errors import BadInput, Where

FILENAME = "forgeyard.toml"
_PREFIX = "FORGEYARD_"


class SettingsProblem(BadInput):
    """The settings file cannot be used."""

    code = "settings_invalid"


class YardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[yard]``: what this installation is."""

    #: Shown on pages.
    name: str = "My yard"
    #: Name of the yard's own channel.
    channel: str = "main"
    #: Platforms that feedstocks are built for.
    platforms: tuple[str, ...] = ("linux-64",)
    #: Channels that may provide what the yard itself does not have, in order of priority.
    upstreams: tuple[str, ...] = ()


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[server]``: where the yard answers."""

    #: Address to listen on; ``0.0.0.0`` for all of the machine's.
    host: str = "127.0.0.1"
    port: int = 8765
    #: The address that people and clients use, when it is not ``http://host:port``.
    public_url: str = ""
    #: Reading needs a token too.
    private: bool = False


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[database]``: empty means ``yard.db`` (SQLite) inside the yard."""

    #: ``postgresql+psycopg://user@host/name`` for PostgreSQL.
    url: str = ""


class PoolSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[pools.NAME]``: 0 means what this machine has."""

    #: Processors that builds may use together.
    cpu: int = 0
    #: Memory that builds may use together; else three quarters of the machine's.
    memory_gib: float = 0
    #: Disk that builds may fill together; else what is free.
    disk_gib: float = 0
    #: Devices, counted from 0.
    gpus: int = 0
    #: ``CPU_COUNT`` of a build; 0: as many as the pool has, at most 4.
    build_threads: int = 0
    #: Patterns of the feedstocks that may use the pool.
    feedstocks: tuple[str, ...] = ("*",)


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[limits]``: where an attempt is ended, and what a build asks for at first."""

    #: Longest time for one stage.
    wall_seconds: int = 6 * 3600
    #: Longest time without a line of log.
    silence_seconds: int = 30 * 60
    #: Largest log of one stage.
    log_mib: int = 64
    #: A build that needs more is tried again with twice as much, up to what the pool has.
    memory_gib: float = 2
    #: Most that a build may write.
    disk_gib: float = 10
    #: Most processes and threads at a time.
    processes: int = 4096

    def as_limits(self, memory_bytes: int) -> Limits:
        """The limits of an attempt that got ``memory_bytes``."""
        return Limits(
            wall_seconds=self.wall_seconds,
            silence_seconds=self.silence_seconds,
            log_bytes=self.log_mib * 2**20,
            memory_bytes=memory_bytes,
            disk_bytes=int(self.disk_gib * 2**30),
            processes=self.processes,
        )


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of ``forgeyard.toml``."""

    yard: YardSettings = YardSettings()
    server: ServerSettings = ServerSettings()
    database: DatabaseSettings = DatabaseSettings()
    limits: LimitSettings = LimitSettings()
    pools: dict[str, PoolSettings] = msgspec.field(
        default_factory=lambda: {"local": PoolSettings()}
    )
    #: ``conda:LEVEL`` or ``tar-bz2``: higher levels make smaller packages more slowly.
    package_format: str = "conda:9"


def load_settings(file: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read ``forgeyard.toml``.  Raises SettingsProblem with line or field."""
    try:
        document = tomllib.loads(file.read_text())
    except FileNotFoundError as error:
        raise SettingsProblem(
            f"there is no {FILENAME} in {file.parent}",
            code="not_a_yard",
            hint="Make a yard with 'forgeyard init DIR', or name one with --yard DIR.",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsProblem(
            f"not valid TOML: {error}", where=Where(file=str(file)), hint="Correct that line."
        ) from error
    _override(document, environment)
    try:
        return msgspec.convert(document, Settings, strict=False)
    except msgspec.ValidationError as error:
        words, _, field = str(error).partition(" - at `$.")
        raise SettingsProblem(
            words,
            where=Where(file=str(file), field=field.rstrip("`") or None),
            hint="The settings are listed in the reference, docs/reference/settings.md.",
        ) from error


def _override(document: dict[str, Any], environment: Mapping[str, str]) -> None:
    for section in ("yard", "server", "database", "limits"):
        for variable, value in environment.items():
            prefix = f"{_PREFIX}{section.upper()}_"
            if variable.startswith(prefix):
                document.setdefault(section, {})[variable[len(prefix) :].lower()] = value
