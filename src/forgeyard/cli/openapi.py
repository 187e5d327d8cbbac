"""``forgeyard openapi``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click


@click.command(short_help="Print the OpenAPI document of the HTTP API.")
def openapi() -> None:
    """Print the OpenAPI document of the HTTP API; needs no yard."""
    from forgeyard.cli.show import print_json

    print_json(document())


def document() -> dict[str, Any]:
    """The OpenAPI document, from an application on an empty yard."""
    from forgeyard.actions.yard import Yard
    from forgeyard.cli.init import settings_text
    from forgeyard.web.app import create_app

    with tempfile.TemporaryDirectory() as scratch:
        toml = settings_text(name="example", channel="main", platform="linux-64", port=8765)
        yard = Yard.create(Path(scratch), toml)
        try:
            return create_app(yard).openapi()
        finally:
            yard.close()
