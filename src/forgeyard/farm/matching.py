"""Which waiting work goes to which pool now, and why the rest does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from forgeyard.farm.pool import NOTHING, Pool, Resources


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """A build that is ready for its next step."""

    build_id: str
    feedstock: str
    platform: str
    resources: Resources


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Work that starts now."""

    build_id: str
    pool: str


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a pool does not take some work."""

    build_id: str
    pool: str
    #: Stable: ``busy``, ``too_small``, ``platform``, ``draining``, ``not_allowed``.
    code: str
    reason: str

    @property
    def lasting(self) -> bool:
        """Whether it stays so until somebody changes the farm."""
        return self.code != "busy"


def match(
    queue: Iterable[Work], pools: Sequence[Pool], used: Mapping[str, Resources]
) -> tuple[list[Offer], list[Refusal]]:
    """Go through the queue in order and place what fits.

    Work that no pool can take now does not hold up what comes after it.  ``used`` is what
    running attempts occupy, by pool.
    """
    free = {pool.name: pool.capacity - used.get(pool.name, NOTHING) for pool in pools}
    offers: list[Offer] = []
    refusals: list[Refusal] = []
    for work in queue:
        refused: list[Refusal] = []
        for pool in pools:
            refusal = _refusal(work, pool, free[pool.name])
            if refusal is None:
                free[pool.name] -= work.resources
                offers.append(Offer(build_id=work.build_id, pool=pool.name))
                break
            refused.append(refusal)
        else:
            refusals += refused
    return offers, refusals


def _refusal(work: Work, pool: Pool, free: Resources) -> Refusal | None:
    def no(code: str, reason: str) -> Refusal:
        return Refusal(build_id=work.build_id, pool=pool.name, code=code, reason=reason)

    if work.platform != pool.platform:
        return no("platform", f"runs {pool.platform}, the build needs {work.platform}")
    if not any(fnmatchcase(work.feedstock, pattern) for pattern in pool.feedstocks):
        return no("not_allowed", f"does not allow the feedstock {work.feedstock}")
    if too_small := pool.capacity.lacking(work.resources):
        return no("too_small", f"has too little {_words(too_small)} even when it is empty")
    if pool.draining:
        return no("draining", "is draining: it takes no new work")
    if lacking := free.lacking(work.resources):
        return no("busy", f"all its {_words(lacking)} is in use")
    return None


def _words(names: Iterable[str]) -> str:
    plain = {"cpu": "cpu", "memory_bytes": "memory", "disk_bytes": "disk", "gpus": "GPUs"}
    return " and ".join(plain[name] for name in names)
