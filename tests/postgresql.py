"""A private PostgreSQL for the tests: Debian's server, an empty folder, a Unix socket."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path:
    """The folder of ``initdb`` and ``pg_ctl``."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise RuntimeError("PostgreSQL is not installed: apt-get install postgresql")
    return found[-1].parent


@contextmanager
def running_postgresql() -> Iterator[str]:
    """The address of a database server that lives as long as the block."""
    folder = Path(tempfile.mkdtemp(prefix="forgeyard-pg-"))
    # PostgreSQL refuses to run as root, so root lends the folder to its ordinary user.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, user)
    data, bin_ = folder / "data", programs()

    def run(*command: str) -> None:
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

    run(str(bin_ / "initdb"), "-D", str(data), "-U", "forgeyard", "-A", "trust", "--no-sync")
    options = f"-c listen_addresses='' -c fsync=off -k {folder}"
    run(
        str(bin_ / "pg_ctl"),
        "-D",
        str(data),
        "-o",
        options,
        "-l",
        str(folder / "log"),
        "-w",
        "start",
    )
    try:
        yield f"postgresql+psycopg://forgeyard@/postgres?host={folder}"
    finally:
        run(str(bin_ / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
