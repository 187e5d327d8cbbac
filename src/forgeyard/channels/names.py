"""Names of packages, builds, files, channels, labels and subdirs (CEP 26, CEP 33).

Everything is checked on the way in, once: one bad name in an index breaks the whole
subdir for its clients.
"""

from __future__ import annotations

import re

import msgspec
from rattler import Version
from rattler.exceptions import InvalidVersionError

from forgeyard.errors import BadInput

NOARCH = "noarch"
#: The label that a channel's plain address means.
MAIN_LABEL = "main"

#: Subdirs that clients know, with the ``platform`` and ``arch`` that records state (CEP 34).
KNOWN_SUBDIRS: dict[str, tuple[str | None, str | None]] = {
    NOARCH: (None, None),
    "linux-64": ("linux", "x86_64"),
    "linux-aarch64": ("linux", "aarch64"),
    "linux-armv6l": ("linux", "armv6l"),
    "linux-armv7l": ("linux", "armv7l"),
    "linux-32": ("linux", "x86"),
    "linux-ppc64le": ("linux", "ppc64le"),
    "linux-riscv64": ("linux", "riscv64"),
    "linux-s390x": ("linux", "s390x"),
    "osx-64": ("osx", "x86_64"),
    "osx-arm64": ("osx", "arm64"),
    "win-32": ("win", "x86"),
    "win-64": ("win", "x86_64"),
    "win-arm64": ("win", "arm64"),
    "emscripten-wasm32": ("emscripten", "wasm32"),
    "wasi-wasm32": ("wasi", "wasm32"),
    "freebsd-64": ("freebsd", "x86_64"),
    "zos-z": ("zos", "z"),
}

EXTENSIONS = (".conda", ".tar.bz2")

_PACKAGE = re.compile(r"(([a-z0-9])|([a-z0-9_](?!_)))[._-]?([a-z0-9]+(\.|-|_|\Z))*")
_TWO_SEPARATORS = re.compile(r"[._-]{2}")
_VERSION = re.compile(r"[0-9a-z._+!]+")
_BUILD = re.compile(r"[a-zA-Z0-9_.+]+")
_SUBDIR = re.compile(r"[a-z0-9]+-[a-z0-9]+")
_PATH_COMPONENT = re.compile(r"[a-z0-9_][a-z0-9_.-]*")
_LABEL = re.compile(r"[a-zA-Z][0-9a-zA-Z_\-./]*")
_LONGEST_FILENAME = 211


class BadName(BadInput):
    """A name breaks the rules of CEP 26."""

    code = "bad_name"


class ArtifactName(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a package file's name."""

    name: str
    version: str
    build: str
    #: ``.conda`` or ``.tar.bz2``.
    extension: str

    @classmethod
    def parse(cls, filename: str) -> ArtifactName:
        """Take ``zlib-1.3.1-h123_0.conda`` apart.  Raises BadName."""
        extension = next((end for end in EXTENSIONS if filename.endswith(end)), None)
        if extension is None:
            raise BadName(
                f"{filename!r} is not the name of a conda package",
                hint="Package files end with .conda or .tar.bz2.",
            )
        if len(filename) > _LONGEST_FILENAME:
            raise BadName(f"{filename!r} is longer than {_LONGEST_FILENAME} characters")
        parts = filename.removesuffix(extension).rsplit("-", 2)
        if len(parts) != 3:
            raise BadName(
                f"{filename!r} is not of the form NAME-VERSION-BUILD{extension}",
                hint="A package's name may hold dashes, its version and build string may not.",
            )
        name, version, build = parts
        return cls(
            name=check_package_name(name),
            version=check_version(version),
            build=check_build(build),
            extension=extension,
        )

    @property
    def distribution(self) -> str:
        """``NAME-VERSION-BUILD``."""
        return f"{self.name}-{self.version}-{self.build}"

    @property
    def filename(self) -> str:
        """The name again."""
        return self.distribution + self.extension

    def __str__(self) -> str:
        return self.filename


def check_package_name(name: str) -> str:
    """The name itself.  Raises BadName."""
    if len(name) > 64 or not _PACKAGE.fullmatch(name) or _TWO_SEPARATORS.search(name):
        raise BadName(
            f"{name!r} is not a package name",
            hint="At most 64 lowercase letters, digits and single - _ . between them (CEP 26).",
        )
    return name


def check_version(version: str) -> str:
    """The version itself.  Raises BadName."""
    if len(version) > 64 or not _VERSION.fullmatch(version):
        raise BadName(
            f"{version!r} is not a version",
            hint="At most 64 lowercase letters, digits and . _ + ! (CEP 26, CEP 33).",
        )
    try:
        Version(version)
    except InvalidVersionError as error:
        raise BadName(f"{version!r} is not a version: {error}") from error
    return version


def check_build(build: str) -> str:
    """The build string itself.  Raises BadName."""
    if len(build) > 64 or not _BUILD.fullmatch(build):
        raise BadName(
            f"{build!r} is not a build string",
            hint="At most 64 letters, digits and . _ + (CEP 26).",
        )
    return build


def check_subdir(subdir: str) -> str:
    """The subdir itself; one that clients know.  Raises BadName."""
    if subdir not in KNOWN_SUBDIRS:
        known = ", ".join(KNOWN_SUBDIRS)
        form = "" if _SUBDIR.fullmatch(subdir) else " and not of the form OS-ARCH"
        raise BadName(f"{subdir!r} is not a known subdir{form}", hint=f"Known are {known}.")
    return subdir


def check_channel_name(name: str) -> str:
    """The channel's name itself: one component of its address.  Raises BadName."""
    if len(name) > 128 or not _PATH_COMPONENT.fullmatch(name):
        raise BadName(
            f"{name!r} is not a channel name",
            hint="At most 128 lowercase letters, digits and _ . - but no . or - first (CEP 26).",
        )
    if name in KNOWN_SUBDIRS:
        raise BadName(f"A channel cannot be called {name!r}, which is a subdir (CEP 26)")
    return name


def check_label(label: str) -> str:
    """The label itself.  Raises BadName."""
    components = label.split("/")
    well_formed = (
        len(label) <= 128
        and _LABEL.fullmatch(label)
        # Not in the CEP's pattern, but these would change the path that a client asks for.
        and not any(part in ("", ".", "..") for part in components)
    )
    if not well_formed:
        raise BadName(
            f"{label!r} is not a label",
            hint="At most 128 letters, digits and _ - . / starting with a letter (CEP 26).",
        )
    if components[-1] in KNOWN_SUBDIRS or label == "nolabel":
        raise BadName(f"{label!r} cannot be a label: the word is taken (CEP 26)")
    return label
