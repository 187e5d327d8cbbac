"""A real client, as a program of its own: py-rattler can crash while Python shuts down.

python installing_client.py URL SUBDIR FORMAT CACHE PREFIX SPEC…

Solves, installs into PREFIX, and prints what was chosen as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from rattler import Gateway, SourceConfig, install, solve


async def main(
    url: str, subdir: str, form: str, cache: str, prefix: str, specs: list[str]
) -> list[dict[str, str]]:
    gateway = Gateway(
        cache_dir=Path(cache),
        default_config=SourceConfig(
            sharded_enabled=form == "shards", zstd_enabled=form == "zst", bz2_enabled=False
        ),
    )
    chosen = await solve([url], specs, gateway=gateway, platforms=[subdir, "noarch"])
    await install(chosen, prefix, cache_dir=Path(cache) / "packages", show_progress=False)
    return [{"name": record.name.normalized, "url": record.url} for record in chosen]


if __name__ == "__main__":
    url, subdir, form, cache, prefix, *specs = sys.argv[1:]
    try:
        told = asyncio.run(main(url, subdir, form, cache, prefix, specs))
        sys.stdout.write(json.dumps(told))
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)
