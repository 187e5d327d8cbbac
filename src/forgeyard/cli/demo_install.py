"""Install from a served channel with py-rattler: a client that is not ours.

Runs as a process of its own (``python -m forgeyard.cli.demo_install URL PREFIX SPEC...``)
because py-rattler's threads may crash an orderly interpreter exit.  Prints the installed
packages as JSON lines.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import rattler


async def install(channel: str, prefix: Path, specs: list[str]) -> list[rattler.RepoDataRecord]:
    """Solve against the channel as this machine, and install into ``prefix``."""
    records = await rattler.solve(
        [rattler.Channel(channel)],
        specs,
        platforms=[rattler.Subdir.current(), "noarch"],
        virtual_packages=rattler.VirtualPackage.detect(),
    )
    await rattler.install(records, target_prefix=prefix, show_progress=False)
    return records


def main() -> int:
    """See the module."""
    channel, prefix, *specs = sys.argv[1:]
    try:
        records = asyncio.run(install(channel, Path(prefix).absolute(), specs))
    except Exception as error:  # py-rattler has no common root of its errors
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    for record in records:
        found = {"name": record.name.normalized, "version": str(record.version)}
        print(json.dumps({**found, "build": str(record.build), "url": record.url}))
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
