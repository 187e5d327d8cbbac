"""Feedstocks from git repositories, by the git program."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from forgeyard.errors import BadInput, Unavailable

_TIMEOUT_SECONDS = 300
_ADDRESS = re.compile(r"(https?|ssh|git|file)://.+|[\w.-]+@[\w.-]+:.+|git\+.+")


def is_git_address(origin: str) -> bool:
    """Whether an origin names a repository rather than a folder."""
    return bool(_ADDRESS.fullmatch(origin))


def clone(address: str, folder: Path) -> str:
    """Fetch the newest commit of a repository's main branch into ``folder``; its id.

    ``ADDRESS#REV`` takes a branch or tag.  Hooks, submodules and questions for passwords
    are off: an address comes from whoever may add feedstocks.
    """
    url, _, rev = address.removeprefix("git+").partition("#")
    command = ["git", "clone", "--quiet", "--depth", "1", "--no-tags", "--template="]
    if rev:
        command += ["--branch", rev]
    _git([*command, "--", url, str(folder)], address)
    return _git(["git", "-C", str(folder), "rev-parse", "HEAD"], address).strip()


def _git(command: list[str], address: str) -> str:
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
        "LC_ALL": "C.UTF-8",
    }
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
            env=environment,
            check=False,
        )
    except FileNotFoundError as error:
        raise Unavailable(
            "git is not installed", code="git_missing", hint="Install it: apt-get install git"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(
            f"{address} did not answer within {_TIMEOUT_SECONDS} s", code="git_unreachable"
        ) from error
    if done.returncode:
        raise BadInput(
            f"git could not fetch {address}: {done.stderr.strip()[-500:]}",
            code="git_failed",
            hint="Check the address, and that this machine may read it without a password.",
        )
    return done.stdout
