"""A yard that works: its running server, or one that this process runs for as long."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from forgeyard.cli.client import Client, connect, running_server
from forgeyard.cli.place import Place


@contextmanager
def at_work(place: Place) -> Iterator[Client]:
    """A client of a yard whose builds go on while the block runs."""
    if place.directory is None or running_server(place.directory):
        with connect(place) as client:
            yield client
        return
    from forgeyard.actions.yard import Yard
    from forgeyard.cli.machine_checks import require_sandbox
    from forgeyard.cli.serving import Serving
    from forgeyard.telemetry import configure_logging

    require_sandbox()
    configure_logging(logging.WARNING)
    yard = Yard.open(place.directory)
    try:
        with Serving(yard), connect(place) as client:
            yield client
    finally:
        yard.close()
