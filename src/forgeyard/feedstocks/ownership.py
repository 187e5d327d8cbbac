"""Exactly one feedstock owns the name of an output, unless it is granted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from forgeyard.errors import Conflict


class OutputOwned(Conflict):
    """An output's name belongs to another feedstock."""

    code = "output_owned"


def newly_owned(feedstock: str, outputs: Iterable[str], owners: Mapping[str, str]) -> list[str]:
    """Names that the feedstock comes to own; raises OutputOwned on one that is another's."""
    fresh = []
    for name in sorted(set(outputs)):
        owner = owners.get(name)
        if owner is not None and owner != feedstock:
            raise OutputOwned(
                f"the output '{name}' is owned by the feedstock {owner}",
                hint=f"Rename the output, or ask the maintainers of {owner} to hand it over.",
            )
        if owner is None:
            fresh.append(name)
    return fresh
