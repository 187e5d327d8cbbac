"""A real client, as a program of its own: py-rattler can crash while Python shuts down.

    python rattler_client.py URL SUBDIR FORMAT CACHE SPEC…

Prints what the solver chooses and what the gateway knows, as JSON.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import sys
from pathlib import Path

from rattler import Gateway, SourceConfig, solve


async def main(url: str, subdir: str, form: str, cache: str, specs: list[str]) -> dict[str, object]:
    gateway = Gateway(
        cache_dir=Path(cache),
        default_config=SourceConfig(
            sharded_enabled=form == "shards", zstd_enabled=form == "zst", bz2_enabled=False
        ),
    )
    platforms = [subdir, "noarch"]
    query = await gateway.query([url], platforms, specs, recursive=True)
    chosen = await solve([url], specs, gateway=gateway, platforms=platforms)
    # What was indexed later does not exist yet for this one (CEP 47).
    moment = datetime.datetime.fromtimestamp(1_750_000_000, datetime.UTC)
    older = await solve(
        [url], specs[:1], gateway=gateway, platforms=platforms, exclude_newer=moment
    )
    return {
        "chosen": [
            {
                "file": record.file_name,
                "url": record.url,
                "sha256": record.sha256.hex() if record.sha256 else None,
                "md5": record.md5.hex() if record.md5 else None,
                "size": record.size,
                "depends": record.depends,
                "subdir": record.subdir,
            }
            for record in chosen
        ],
        "older": [record.file_name for record in older],
        "known": sorted(record.file_name for records in query for record in records),
    }


if __name__ == "__main__":
    url, subdir, form, cache, *specs = sys.argv[1:]
    try:
        sys.stdout.write(json.dumps(asyncio.run(main(url, subdir, form, cache, specs))))
    except Exception as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)
