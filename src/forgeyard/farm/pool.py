"""Pools, and amounts of what a build needs and a pool has."""

from __future__ import annotations

import msgspec


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """A vector of amounts.  Sizes in bytes."""

    cpu: int = 1
    memory_bytes: int = 2 * 2**30
    disk_bytes: int = 4 * 2**30
    gpus: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(
            cpu=self.cpu + other.cpu,
            memory_bytes=self.memory_bytes + other.memory_bytes,
            disk_bytes=self.disk_bytes + other.disk_bytes,
            gpus=self.gpus + other.gpus,
        )

    def __sub__(self, other: Resources) -> Resources:
        return Resources(
            cpu=self.cpu - other.cpu,
            memory_bytes=self.memory_bytes - other.memory_bytes,
            disk_bytes=self.disk_bytes - other.disk_bytes,
            gpus=self.gpus - other.gpus,
        )

    def lacking(self, wanted: Resources) -> tuple[str, ...]:
        """Names of what there is too little of to give ``wanted``."""
        return tuple(
            name
            for name in ("cpu", "memory_bytes", "disk_bytes", "gpus")
            if getattr(self, name) < getattr(wanted, name)
        )


NOTHING = Resources(cpu=0, memory_bytes=0, disk_bytes=0, gpus=0)


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """Runners of one shape."""

    name: str
    executor: str = "local"
    #: The platform whose programs run here, such as ``linux-64``.
    platform: str
    capacity: Resources
    #: ``CPU_COUNT`` that a build sees.
    build_threads: int = 1
    #: No new attempts.
    draining: bool = False
    #: Glob patterns of the feedstocks that may use it.
    feedstocks: tuple[str, ...] = ("*",)
