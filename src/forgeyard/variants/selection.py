"""The single variant that a build is rendered with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Keys that the engine adds by itself and that a configuration must not set.
PLATFORM_KEYS = frozenset({"target_platform", "build_platform", "host_platform"})


def single_variant(
    configuration: Mapping[str, Sequence[Any]], used: Mapping[str, Any]
) -> dict[str, Any]:
    """Every key of the configuration with one value: the used ones with theirs.

    The value of a key that the recipe does not use cannot matter, so the first is taken.
    Rendering with the result gives exactly the output that ``used`` came from.
    """
    chosen = {key: values[0] for key, values in configuration.items() if values}
    chosen.update({key: used[key] for key in used if key in configuration})
    return {key: value for key, value in chosen.items() if key not in PLATFORM_KEYS}
