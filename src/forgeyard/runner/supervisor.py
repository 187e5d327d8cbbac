"""``python -m forgeyard.runner.supervisor ATTEMPT_DIR``: one attempt, from job to result.

One process per attempt, in a session of its own, so that it outlives a restart of the
yard.  A supervisor's first breath is to tell the yard that it runs: before msgspec, the
HTTP client and the solver are imported, which takes longer than everything else until
then.  If that does not work out, the correspondent says it again later.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time

_ANSWER_SECONDS = 1.0


def announce(directory: str) -> socket.socket | None:
    """Send the news that the attempt has started; the answer is read later."""
    try:
        with open(f"{directory}/job.json", "rb") as file:  # noqa: PTH123
            job = json.load(file)
        with open(f"{directory}/token") as file:  # noqa: PTH123
            token = file.read().strip()
        scheme, _, rest = job["server"].partition("://")
        host, _, base = rest.partition("/")
        name, _, port = host.partition(":")
        if scheme != "http" or os.path.exists(f"{directory}/result.json"):  # noqa: PTH110
            return None
        body = json.dumps({"phase": "fetch", "at": time.time()})
        path = f"{'/' + base if base else ''}/api/v1/runner/attempts/{job['attempt_id']}/phase"
        connection = socket.create_connection((name, int(port or 80)), _ANSWER_SECONDS)
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"Connection: close\r\n\r\n{body}".encode()
        )
    except (OSError, ValueError, KeyError):
        return None
    return connection


def was_heard(connection: socket.socket | None) -> bool:
    """Whether the yard took the news."""
    if connection is None:
        return False
    try:
        with connection:
            return connection.recv(64).startswith((b"HTTP/1.1 2", b"HTTP/1.0 2"))
    except OSError:
        return False


def main(argv: list[str]) -> int:
    """Entry point."""
    connection = announce(argv[1])
    from pathlib import Path

    from forgeyard.executors.attempt_dir import AttemptDir
    from forgeyard.runner.attending import attend

    return attend(AttemptDir(Path(argv[1])), was_heard(connection))


if __name__ == "__main__":
    code = main(sys.argv)
    sys.stdout.flush()
    # py-rattler's threads may crash an interpreter that tidies up.
    os._exit(code)
