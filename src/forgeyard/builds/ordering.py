"""Which builds wait for which: edges from what is required to what others make."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from forgeyard.errors import BadInput
from forgeyard.graph.graph import DependencyGraph
from forgeyard.recipes.rendered import RenderedOutput

#: ``satisfies(spec, name, version, build_string) -> bool``: a match spec against a package.
Satisfies = Callable[[str, str, str, str], bool]


class DependencyCycle(BadInput):
    """Builds that wait for each other."""

    code = "dependency_cycle"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A build to place in the order."""

    key: str
    output: RenderedOutput
    variant: dict[str, Any]


def dependencies(
    wanted: Sequence[Wanted], satisfies: Satisfies, others: Iterable[Wanted] = ()
) -> dict[str, set[str]]:
    """Key of each wanted build → keys of the builds it has to wait for.

    ``others`` are builds on their way already.  What a package needs to run and to be
    tested is waited for as well, unless that closes a circle; a circle of build or host
    requirements cannot be built and raises DependencyCycle with its path.
    """
    makers: dict[str, list[Wanted]] = {}
    for item in (*others, *wanted):
        makers.setdefault(item.output.name, []).append(item)
    hard = {item.key: _needs(item, makers, satisfies, hard=True) for item in wanted}
    names = {item.key: item.output.name for item in (*others, *wanted)}
    if cycle := DependencyGraph(hard).find_cycle():
        path = " → ".join(names[key] for key in cycle)
        raise DependencyCycle(
            f"these need each other to be built: {path}",
            hint="Break the circle: drop a requirement, or bootstrap one with a variant "
            "that does not need the others.",
        )
    return _add_soft(hard, {w.key: _needs(w, makers, satisfies, hard=False) for w in wanted})


def _add_soft(hard: Mapping[str, set[str]], soft: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Hard edges plus those soft ones that close no circle."""
    together = {key: set(hard[key]) | soft[key] for key in hard}
    while cycle := DependencyGraph(together).find_cycle():
        for here, there in pairwise(cycle):
            if there not in hard[here]:
                together[here].discard(there)
                break
    return together


def _needs(
    item: Wanted, makers: Mapping[str, Sequence[Wanted]], satisfies: Satisfies, *, hard: bool
) -> set[str]:
    asked = item.output.requirements
    specs = [*asked.build, *asked.host]
    if not hard:
        # What is built with is there to run with: no need to wait for its other variants.
        # Its own name there means itself, not another variant of it.
        served = {item.output.name, *(spec_name(spec) for spec in specs)}
        # What it exports has to be there before anything can be built with it.
        later = (*asked.run, *asked.test, *asked.exports)
        specs = [s for s in later if spec_name(s) not in served]
    found: set[str] = set()
    for spec in specs:
        found |= _makers_of(_with_pin(spec, item.variant), item, makers, satisfies)
    return found


def _makers_of(
    spec: str, item: Wanted, makers: Mapping[str, Sequence[Wanted]], satisfies: Satisfies
) -> set[str]:
    name = spec_name(spec)
    return {
        maker.key
        for maker in makers.get(name, ())
        if maker.key != item.key
        and _same_platform(maker.output.subdir, item.output.subdir)
        and satisfies(spec, maker.output.name, maker.output.version, maker.output.build_string)
    }


def spec_name(spec: str) -> str:
    """The package name at the front of a match spec."""
    return re.split(r"[\s=<>!~\[]", spec.strip(), maxsplit=1)[0].lower()


def _same_platform(maker: str, item: str) -> bool:
    return maker == item or "noarch" in (maker, item)


def _with_pin(spec: str, variant: Mapping[str, Any]) -> str:
    """A bare name takes the variant's version, as the recipe engine does when it solves."""
    pinned = variant.get(spec.replace("-", "_"))
    if " " in spec or not isinstance(pinned, str) or not pinned:
        return spec
    return f"{spec} {pinned}" if any(c in pinned for c in "*<>=!~|,") else f"{spec} {pinned}.*"
