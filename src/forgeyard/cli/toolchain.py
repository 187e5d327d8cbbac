"""What the machine's own compiler is: facts for the *externals* of the pinning.

An external is a package that declares something of the system (here: gcc and glibc) and
activates it, so that recipes can say ``${{ compiler("c") }}`` on a machine that has no
compiler packages yet.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess

import msgspec

#: What conda calls this machine's kind, and the triplet that its compilers are called by.
_KINDS = {
    "x86_64": ("linux-64", "x86_64-conda-linux-gnu"),
    "aarch64": ("linux-aarch64", "aarch64-conda-linux-gnu"),
    "ppc64le": ("linux-ppc64le", "powerpc64le-conda-linux-gnu"),
}


class Toolchain(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about this machine; None where there is no such compiler."""

    #: Such as ``linux-64``.
    platform: str
    conda_triplet: str
    #: As gcc says it, such as ``x86_64-linux-gnu``.
    triplet: str | None
    gcc_version: str | None
    gxx_version: str | None
    glibc_version: str | None

    @property
    def lacking(self) -> list[str]:
        """Programs that a yard's externals need and that are not here."""
        needed = (("gcc", self.gcc_version), ("g++", self.gxx_version))
        return [name for name, version in needed if version is None]

    def pinning(self) -> str:
        """``machine.yaml``: the facts as variant configuration (CEP 45)."""
        values = {
            "external_platform": self.platform,
            "external_conda_triplet": self.conda_triplet,
            "external_triplet": self.triplet,
            "external_gcc_version": self.gcc_version,
            "external_glibc_version": self.glibc_version,
            "c_compiler_version": _major(self.gcc_version),
            "cxx_compiler_version": _major(self.gxx_version),
            "c_stdlib_version": self.glibc_version,
        }
        head = (
            "# What this machine's compiler and C library are; made by 'forgeyard init'.\n"
            "# After an upgrade of the system: forgeyard init --detect DIR\n"
        )
        known = {key: value for key, value in values.items() if value is not None}
        return head + "".join(f'{key}:\n  - "{value}"\n' for key, value in known.items())


def detect() -> Toolchain:
    """Look at the machine: asks gcc, g++ and the C library for their versions."""
    machine = platform.machine()
    kind, conda_triplet = _KINDS.get(machine, (f"linux-{machine}", f"{machine}-conda-linux-gnu"))
    return Toolchain(
        platform=kind,
        conda_triplet=conda_triplet,
        triplet=_ask("gcc", "-dumpmachine"),
        gcc_version=_ask("gcc", "-dumpfullversion"),
        gxx_version=_ask("g++", "-dumpfullversion"),
        glibc_version=_glibc(),
    )


def _ask(program: str, option: str) -> str | None:
    found = shutil.which(program)
    if found is None:
        return None
    done = subprocess.run([found, option], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None if done.returncode == 0 else None


def _glibc() -> str | None:
    try:
        words = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return None
    return words.removeprefix("glibc ").strip() or None


def _major(version: str | None) -> str | None:
    return version.split(".")[0] if version else None
