"""``forgeyard openapi``."""

from __future__ import annotations

import click


@click.command(short_help="Print the OpenAPI document of the HTTP API.")
def openapi() -> None:
    """Print the OpenAPI document of the HTTP API; needs no yard."""
    import tempfile
    from pathlib import Path

    from forgeyard.actions.yard import Yard
    from forgeyard.cli.init import settings_text
    from forgeyard.cli.show import print_json
    from forgeyard.web.app import create_app

    with tempfile.TemporaryDirectory() as scratch:
        toml = settings_text(name="example", channel="main", platform="linux-64", port=8765)
        yard = Yard.create(Path(scratch), toml)
        try:
            print_json(create_app(yard).openapi())
        finally:
            yard.close()
