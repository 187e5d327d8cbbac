"""``debian://SOURCE/FILE``: an upstream tarball out of the machine's Debian archive.

The archive is the one that the machine's own apt uses (sources.list(5), one-line and
deb822), with ``deb-src`` turned on and, on Debian, the sibling suites of the same mirror,
since each suite keeps another upstream version.  All of it lives in a private directory,
so the machine's apt is not touched and root is not needed.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from forgeyard.runner.sources.interface import PlaceFailed

_TIMEOUT_SECONDS = 1800.0
#: Lists older than this are fetched again when a file is not found in them.
_STALE_SECONDS = 3600.0
_SIBLINGS = ("bullseye", "bookworm", "trixie", "sid")


class DebianProvider:
    """One private apt directory, shared by the runner's attempts under a file lock."""

    schemes = frozenset({"debian"})

    def __init__(self, directory: Path, *, etc: Path = Path("/etc")) -> None:
        self._apt = PrivateApt(directory, etc=etc)

    def fetch(self, url: str, into: Path, *, sha256: str | None) -> None:
        """Try each version of the source package that lists the file."""
        parts = urllib.parse.urlsplit(url)
        source, file = parts.netloc, urllib.parse.unquote(parts.path.lstrip("/"))
        if not source or not file or "/" in file:
            raise PlaceFailed("should look like debian://SOURCE/FILE", final=True)
        with self._apt.locked():
            versions = self._apt.versions(source, file, sha256)
        reasons = []
        for version in versions:
            reason = self._apt.download(source, version, file, into)
            if reason is None:
                return
            reasons.append(f"{source}={version}: {reason}")
        raise PlaceFailed("; ".join(reasons))


class _SourceVersion(msgspec.Struct, frozen=True, kw_only=True):
    version: str
    #: File name → sha256.
    files: dict[str, str]


class PrivateApt:
    """apt with its own lists, cache and configuration."""

    def __init__(self, directory: Path, *, etc: Path) -> None:
        self._directory = directory
        self._etc = etc

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process of this runner reads or writes the lists at a time."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def versions(self, source: str, file: str, sha256: str | None) -> list[str]:
        """Versions of the source package that list the file, newest suites first."""
        if not self._updated_at():
            self._update()
        found = self._matching(source, file, sha256)
        if not found and self._is_stale():
            self._update()
            found = self._matching(source, file, sha256)
        if not found:
            names = {name for known in self._known(source) for name in known.files}
            others = sorted(name for name in names if ".orig" in name)
            listed = ", ".join(others) or "no such source package"
            raise PlaceFailed(
                f"not in the Debian archive of this machine ({source}: {listed})", final=True
            )
        return found

    def download(self, source: str, version: str, file: str, into: Path) -> str | None:
        """Reason of the failure, or None when ``into`` holds the file."""
        with tempfile.TemporaryDirectory(dir=self._directory, prefix="get-") as place:
            wanted = f"{source}={version}"
            options = ["--download-only", "--tar-only", "--only-source", "-q"]
            ended = self._run("apt-get", "source", *options, wanted, cwd=place)
            got = Path(place) / file
            if ended.returncode or not got.exists():
                return _last_error(ended)
            got.replace(into)
            return None

    def _matching(self, source: str, file: str, sha256: str | None) -> list[str]:
        known = [entry for entry in self._known(source) if file in entry.files]
        # The archive tells the digest: other uploads of a file by that name are no use.
        right = [entry for entry in known if sha256 in (None, entry.files[file])]
        return list(dict.fromkeys(entry.version for entry in right or known))

    def _known(self, source: str) -> list[_SourceVersion]:
        ended = self._run("apt-cache", "showsrc", "--only-source", source)
        return [_parse_stanza(stanza) for stanza in re.split(r"\n\s*\n", ended.stdout) if stanza]

    def _updated_at(self) -> float:
        try:
            return (self._directory / "updated").stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _is_stale(self) -> bool:
        return time.time() - self._updated_at() > _STALE_SECONDS

    def _update(self) -> None:
        self._configure()
        ended = self._run("apt-get", "update", "-q")
        if not self._has_lists():
            raise PlaceFailed(f"apt-get update failed: {_last_error(ended)}")
        (self._directory / "updated").touch()

    def _has_lists(self) -> bool:
        # A suite that the mirror lacks makes apt-get complain; the others still serve.
        return any((self._directory / "state/lists").glob("*_Sources*"))

    def _configure(self) -> None:
        for name in ("state/lists/partial", "cache/archives/partial", "parts", "sources.d"):
            (self._directory / name).mkdir(parents=True, exist_ok=True)
        (self._directory / "status").touch()
        entries = source_entries(self._etc)
        if not entries:
            raise PlaceFailed(f"no Debian archive is configured in {self._etc}/apt")
        (self._directory / "sources.d/machine.sources").write_text("\n\n".join(entries) + "\n")
        self._link_machine_parts()
        (self._directory / "apt.conf").write_text(self._options())

    def _link_machine_parts(self) -> None:
        """Keep the machine's proxies and the like, but none of its hooks."""
        parts = self._directory / "parts"
        for old in parts.iterdir():
            old.unlink()
        for part in sorted(self._etc.glob("apt/apt.conf.d/*")):
            (parts / part.name).symlink_to(part)
        hooks = ("APT::Update", "DPkg")
        names = ("Pre-Invoke", "Post-Invoke", "Post-Invoke-Success", "Pre-Install-Pkgs")
        cleared = [f"#clear {hook}::{name};" for hook in hooks for name in names]
        (parts / "zz-forgeyard").write_text("\n".join(cleared) + "\n")

    def _options(self) -> str:
        here = self._directory
        options = {
            "Dir::State": here / "state",
            "Dir::State::status": here / "status",
            "Dir::Cache": here / "cache",
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": here / "sources.d",
            "Dir::Etc::parts": here / "parts",
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb-src::DEP-11::DefaultEnabled": "false",
            "APT::Sandbox::User": "root",  # apt's own user could not enter this directory
        }
        return "".join(f'{name} "{value}";\n' for name, value in options.items())

    def _run(self, *command: str, cwd: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "APT_CONFIG": str(self._directory / "apt.conf"),
            "LC_ALL": "C",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        try:
            return subprocess.run(
                command,
                env=environment,
                cwd=cwd or str(self._directory),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_SECONDS,
                stdin=subprocess.DEVNULL,
            )
        except FileNotFoundError as problem:
            raise PlaceFailed(f"{command[0]} is not on this machine: it is no Debian") from problem
        except subprocess.TimeoutExpired as problem:
            raise PlaceFailed(f"{command[0]} took too long") from problem


def _last_error(ended: subprocess.CompletedProcess[str]) -> str:
    lines = (ended.stderr + ended.stdout).strip().splitlines()
    errors = [line for line in lines if line.startswith("E:")]
    return (errors or lines or [f"ended with {ended.returncode}"])[0]


def _parse_stanza(stanza: str) -> _SourceVersion:
    """One paragraph of ``apt-cache showsrc`` (deb-src(5), Debian policy 5.6)."""
    version, files, in_digests = "", {}, False
    for line in stanza.splitlines():
        if line.startswith("Version:"):
            version = line.split(":", 1)[1].strip()
        if not line.startswith(" "):
            in_digests = line.startswith("Checksums-Sha256:")
        elif in_digests:
            digest, _, name = line.split()
            files[name] = digest
    return _SourceVersion(version=version, files=files)


# ---- the machine's sources.list


def source_entries(etc: Path) -> list[str]:
    """The machine's archives as deb822 paragraphs for ``deb-src``."""
    siblings = _siblings(etc)
    paragraphs: list[dict[str, str]] = []
    lists = [etc / "apt/sources.list", *sorted(etc.glob("apt/sources.list.d/*.list"))]
    for path in lists:
        if path.is_file():
            lines = path.read_text().splitlines()
            paragraphs += [found for line in lines if (found := _one_line(line))]
    for path in sorted(etc.glob("apt/sources.list.d/*.sources")):
        paragraphs += _deb822(path.read_text())
    entries: dict[str, None] = {}
    for paragraph in paragraphs:
        if paragraph.get("Enabled", "yes").lower() in ("no", "false", "0"):
            continue
        entries[_as_source(paragraph, siblings)] = None
    return list(entries)


def _siblings(etc: Path) -> dict[str, tuple[str, ...]]:
    """Suite of this machine → suites that the same Debian mirror has as well."""
    try:
        release = (etc / "os-release").read_text()
    except OSError:
        return {}
    values = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', release, re.MULTILINE))
    name = values.get("VERSION_CODENAME", "")
    if values.get("ID") != "debian" or not name:
        return {}
    return {name: tuple(dict.fromkeys((name, *_SIBLINGS)))}


def _one_line(line: str) -> dict[str, str] | None:
    """``deb [option=value …] URI suite component…`` (sources.list(5))."""
    match = re.match(r"^\s*deb(?:-src)?\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
    if match is None:
        return None
    options, uri, suite, components = match.groups()
    paragraph = {"URIs": uri, "Suites": suite, "Components": components.strip()}
    names = {"signed-by": "Signed-By", "trusted": "Trusted"}
    for option in (options or "").split():
        key, _, value = option.partition("=")
        if key.lower() in names:
            paragraph[names[key.lower()]] = value
    return paragraph


def _deb822(text: str) -> list[dict[str, str]]:
    paragraphs = []
    for block in re.split(r"\n\s*\n", text):
        paragraph: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            if line.startswith("#") or not line.strip():
                continue
            if line[0] in " \t":
                paragraph[key] += "\n" + line
            else:
                key, _, value = line.partition(":")
                paragraph[key] = value.strip()
        if "URIs" in paragraph and "Suites" in paragraph:
            paragraphs.append(paragraph)
    return paragraphs


def _as_source(paragraph: dict[str, str], siblings: dict[str, tuple[str, ...]]) -> str:
    suites: dict[str, None] = {}
    for suite in paragraph["Suites"].split():
        for name in siblings.get(suite, (suite,)):
            suites[name] = None
    kept = ("URIs", "Components", "Signed-By", "Trusted")
    fields = {"Types": "deb-src", "Suites": " ".join(suites)}
    fields |= {key: paragraph[key] for key in kept if paragraph.get(key)}
    return "\n".join(f"{key}: {value}" for key, value in fields.items())
