"""Makes py-rattler-build take the host platform of a cross build from us.

``run_build`` reads the platforms from the *variant* and otherwise takes the current one, so
a cross build would silently get a native host environment.  Naming ``host_platform`` and
``build_platform`` as used keys puts them into the variant; the build string, which hashes
the variant, is then fixed to what the unchanged recipe renders to.
"""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML

_KEYS = ("host_platform", "build_platform")


def mark_outputs(text: str) -> str:
    """The recipe with a build string ``mark_N`` for its Nth output, to tell them apart."""
    recipe = _load(text)
    for number, output in enumerate(_outputs(recipe)):
        output.setdefault("build", {})["string"] = f"mark_{number}"
    return _dump(recipe)


def with_platforms(text: str, number: int, build_string: str) -> str:
    """The recipe whose Nth output takes its platforms from the variant."""
    recipe = _load(text)
    build = _outputs(recipe)[number].setdefault("build", {})
    build["string"] = build_string
    variant = build.setdefault("variant", {})
    variant["use_keys"] = [*variant.get("use_keys", []), *_KEYS]
    return _dump(recipe)


def _outputs(recipe: Any) -> list[Any]:
    """The mappings that hold an output's ``build``, conditionals looked through."""
    if "outputs" not in recipe:
        return [recipe]
    found: list[Any] = []

    def look(entries: Any) -> None:
        for entry in entries if isinstance(entries, list) else [entries]:
            if "if" in entry:
                look(entry["then"])
                look(entry.get("else", []))
            elif "package" in entry:
                found.append(entry)

    look(recipe["outputs"])
    return found


def _yaml() -> YAML:
    # Round trip: numbers such as 1.10 stay what the author typed.
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 1 << 16
    return yaml


def _load(text: str) -> Any:
    return _yaml().load(text)


def _dump(recipe: Any) -> str:
    out = io.StringIO()
    _yaml().dump(recipe, out)
    return out.getvalue()
