"""The examples that come with Forgeyard: the base pinning and the demo's feedstocks."""

from __future__ import annotations

import sys
from pathlib import Path

from forgeyard.errors import NotFound


class ExamplesMissing(NotFound):
    """This installation came without the examples."""

    code = "examples_missing"


def examples_folder() -> Path:
    """``examples/`` of the checkout, or of the installed package.  Raises ExamplesMissing."""
    checkout = Path(__file__).resolve().parents[3] / "examples"
    installed = Path(sys.prefix) / "share" / "forgeyard" / "examples"
    for folder in (checkout, installed):
        if (folder / "pinning").is_dir():
            return folder
    raise ExamplesMissing(
        f"there are no examples in {checkout} or {installed}",
        hint="Install Forgeyard again, or work in a clone of its repository.",
    )


def base_pinning() -> list[Path]:
    """The variant configuration that a new yard starts with."""
    return sorted((examples_folder() / "pinning").glob("*.yaml"))
