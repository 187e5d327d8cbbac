"""Feedstocks in git repositories, by way of the ``git`` program.

A repository is somebody else's: its hooks, submodules and filters never run, no prompt
waits for an answer, and everything ends after a while.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

from forgeyard.errors import BadInput, ForgeyardError, NotFound, Unavailable

_SCHEMES = ("https://", "http://", "ssh://", "git://", "file://")
_SCP_LIKE = re.compile(r"[\w.-]+@[\w.-]+:(?!/?/).+")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ABBREVIATED = re.compile(r"[0-9a-f]{7,64}")
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+@")
#: What of git's own environment is kept: how to reach hosts, not which repository to use.
_KEPT = ("GIT_SSL_", "GIT_SSH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_PROXY")

_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "gc.auto": "0",
    "protocol.ext.allow": "never",
    # What the address cannot say, nobody will be asked.
    "core.askPass": "true",
}


class GitDenied(BadInput):
    """The repository asks for a name and a password, or does not let this machine in."""

    code = "git_denied"


class GitUnreachable(Unavailable):
    """The repository cannot be reached now."""

    code = "git_unreachable"


class UnknownRevision(NotFound):
    """The repository has no such branch, tag or commit."""

    code = "git_revision_unknown"


def is_git_address(text: str) -> bool:
    """Whether the text is the address of a repository rather than a folder's path."""
    if text.startswith(_SCHEMES):
        return True
    return not text.startswith(("/", "./", "../", "~")) and bool(_SCP_LIKE.fullmatch(text))


def clone(url: str, target: Path, rev: str | None = None, timeout: float = 600) -> str:
    """Check out one revision (the default branch without ``rev``); returns its commit.

    ``target`` must not exist or be empty.  Only this revision's history is fetched where
    the host allows that.  Raises GitDenied, GitUnreachable, UnknownRevision.
    """
    _check(url, rev)
    target.mkdir(parents=True, exist_ok=True)
    # An empty template: those of the machine may hold hooks.
    _git("init", "--quiet", "--template=", str(target), timeout=timeout)
    commit = _fetch(url, target, rev or "HEAD", timeout)
    _git("-C", str(target), "checkout", "--quiet", "--detach", commit, timeout=timeout)
    return commit


def remote_commit(url: str, rev: str | None = None, timeout: float = 60) -> str:
    """The commit that a branch or tag (the default branch without ``rev``) is at now."""
    _check(url, rev)
    wanted = rev or "HEAD"
    listed = _git("ls-remote", url, wanted, f"{wanted}^{{}}", timeout=timeout)
    commits: dict[str, str] = {}
    for line in listed.splitlines():
        commit, _, name = line.partition("\t")
        commits[name] = commit
    for name in (wanted, f"refs/heads/{wanted}", f"refs/tags/{wanted}^{{}}", f"refs/tags/{wanted}"):
        if name in commits:
            return commits[name]
    raise _unknown(url, wanted)


def _fetch(url: str, target: Path, rev: str, timeout: float) -> str:
    here = ("-C", str(target))
    options = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules")
    try:
        _git(*here, *options, "--depth=1", url, rev, timeout=timeout)
        return _git(*here, "rev-parse", "FETCH_HEAD^{commit}", timeout=timeout)
    except UnknownRevision:
        if not _ABBREVIATED.fullmatch(rev):
            raise
    # Not every host gives out a commit by itself, and none an abbreviated one.
    refs = ("+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
    _git(*here, *options, url, *refs, timeout=timeout)
    return _git(*here, "rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}", timeout=timeout)


def _check(url: str, rev: str | None) -> None:
    if not is_git_address(url):
        raise BadInput(
            f"{redacted(url)!r} is not the address of a git repository",
            code="bad_git_address",
            hint="Use https://…, ssh://…, git@HOST:PATH or file://….",
        )
    if rev is not None and (not rev or rev.startswith("-") or not rev.isprintable() or ":" in rev):
        raise BadInput(f"{rev!r} is not a branch, tag or commit", code="bad_git_revision")


def _git(*arguments: str, timeout: float) -> str:
    git = shutil.which("git")
    if git is None:
        raise Unavailable("There is no git on this machine", code="git_missing")
    settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
    process = subprocess.Popen(
        [git, *settings, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        # A group of its own, so that helpers of git (ssh, http) end with it.
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise GitUnreachable(
            f"git did not finish within {timeout:g} seconds", code="git_timeout"
        ) from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode:
        raise _failure(arguments, errors.decode(errors="replace"))
    return output.decode(errors="replace").strip()


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    return {
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes",
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "LC_ALL": "C",
    }


def _failure(arguments: tuple[str, ...], errors: str) -> ForgeyardError:
    """What git said, typed."""
    said = redacted(errors.strip())
    last = said.splitlines()[-1] if said else "git failed without a word"
    low = said.lower()
    if any(
        sign in low
        for sign in ("couldn't find remote ref", "not our ref", "unadvertised object", "bad object")
    ) or ("rev-parse" in arguments):
        return _unknown("", arguments[-1].removesuffix("^{commit}"))
    if any(
        sign in low
        for sign in ("authentication failed", "could not read username", "permission denied", "403")
    ):
        return GitDenied(
            f"The repository does not let this machine in: {last}",
            hint="Give an address that needs no password, or set up git credentials for the "
            "user that runs the yard.",
        )
    if "dubious ownership" in low:
        return GitDenied(
            "The repository's folder belongs to another user",
            hint="Allow it for the user that runs the yard: "
            "git config --global --add safe.directory FOLDER",
        )
    return GitUnreachable(
        f"git failed: {last}", hint="Check the address, and try 'git ls-remote ADDRESS' by hand."
    )


def _unknown(url: str, rev: str) -> UnknownRevision:
    place = f" in {redacted(url)}" if url else ""
    return UnknownRevision(f"There is no branch, tag or commit {rev!r}{place}")


def redacted(text: str) -> str:
    """The text without the passwords that addresses in it may hold."""
    return _PASSWORD.sub("…@", text)
