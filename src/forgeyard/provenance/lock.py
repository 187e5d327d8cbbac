"""Locks: exactly which packages an environment was made of (CEP 23 for the text form).

An attempt has up to three: ``build``, ``host`` and ``test``.  The stored form is canonical
JSON, so that equal locks are one object; the text form is what any conda client installs
from without solving.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote, urlsplit

import msgspec

from forgeyard.builds.job import LockedPackage
from forgeyard.channels.names import ArtifactName
from forgeyard.errors import BadInput, Where

#: Name of the environment → its packages.
Locks = Mapping[str, Sequence[LockedPackage]]

_LINE = re.compile(r"(?P<url>\S+?)(?:#(?:sha256:)?(?P<sha256>[0-9a-f]{64}))")


class BadLock(BadInput):
    """Bytes or text are not a lock."""

    code = "bad_lock"


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """The packages of one environment, each after those it needs."""

    #: ``build``, ``host`` or ``test``.
    environment: str
    packages: tuple[LockedPackage, ...]

    def explicit(self, platform: str) -> str:
        """The text form: ``conda create --file``, ``mamba``, ``pixi`` and rattler read it."""
        return explicit_text(self.packages, platform, comment=f"{self.environment} environment")

    @property
    def digest(self) -> str:
        """Equal for the same packages, wherever they were fetched from and in any order."""
        return environment_digest(self.packages)


def encode_locks(locks: Locks) -> bytes:
    """The stored form of an attempt's locks.  The same locks always give the same bytes."""
    return msgspec.json.encode(
        {environment: tuple(packages) for environment, packages in locks.items()}, order="sorted"
    )


def decode_locks(data: bytes) -> tuple[Lock, ...]:
    """Read them back, sorted by environment.  Raises BadLock."""
    try:
        locks = msgspec.json.decode(data, type=dict[str, tuple[LockedPackage, ...]])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadLock(f"Not the locks of an attempt: {error}") from error
    return tuple(
        Lock(environment=environment, packages=locks[environment]) for environment in sorted(locks)
    )


def environment_digest(packages: Iterable[LockedPackage]) -> str:
    """sha256 over what is installed: file names and digests, sorted."""
    lines = sorted(
        f"{package.subdir}/{_filename(package.url)} {package.sha256}" for package in packages
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def explicit_text(packages: Iterable[LockedPackage], platform: str, comment: str = "") -> str:
    """An explicit text spec: one address with its sha256 a line."""
    lines = [f"# {line}" for line in comment.splitlines()]
    lines += [f"# platform: {platform}", "@EXPLICIT"]
    lines += [f"{package.url}#{package.sha256}" for package in packages]
    return "\n".join(lines) + "\n"


def parse_explicit(text: str) -> tuple[LockedPackage, ...]:
    """Read an explicit text spec.  Raises BadLock, also for a line without a sha256."""
    packages = []
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not any(line == "@EXPLICIT" for _, line in lines):
        raise BadLock("There is no @EXPLICIT line (CEP 23)")
    for number, line in lines:
        if line == "@EXPLICIT":
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadLock(
                f"{line!r} is not an address with a sha256",
                hint="Every line must end with #SHA256.",
                where=Where(line=number),
            )
        packages.append(_from_url(match["url"], match["sha256"]))
    return tuple(packages)


def _from_url(url: str, sha256: str) -> LockedPackage:
    name = ArtifactName.parse(_filename(url))
    return LockedPackage(
        name=name.name,
        version=name.version,
        build=name.build,
        subdir=urlsplit(url).path.split("/")[-2] if url.count("/") else "",
        url=url,
        sha256=sha256,
    )


def _filename(url: str) -> str:
    return unquote(urlsplit(url).path.rsplit("/", 1)[-1])
