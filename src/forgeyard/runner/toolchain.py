"""The C toolchain that this machine has, as variant values (CEP 45).

A yard without compilers of its own starts with the system's: the example recipes wrap it
in an activation package, and these values say which one it is.
"""

from __future__ import annotations

import shutil
import subprocess

from forgeyard.errors import Unavailable
from forgeyard.runner.facts import glibc_version

#: Debian's machine name → conda's platform.
_PLATFORMS = {
    "x86_64": "linux-64",
    "aarch64": "linux-aarch64",
    "powerpc64le": "linux-ppc64le",
    "riscv64": "linux-riscv64",
    "s390x": "linux-s390x",
}


def detect() -> dict[str, list[str]]:
    """Keys and values of ``pinning/machine.yaml``; ``Unavailable`` without a toolchain."""
    missing = [tool for tool in ("gcc", "g++", "ld", "make") if shutil.which(tool) is None]
    if missing:
        raise Unavailable(
            f"this machine has no {', '.join(missing)}",
            code="toolchain_missing",
            hint="install the system's compiler (Debian, Ubuntu: apt install gcc g++ make)",
        )
    glibc = glibc_version()
    if glibc is None:
        raise Unavailable(
            "this machine's C library is not glibc",
            code="toolchain_missing",
            hint="builds with the system's compiler need a glibc system such as Debian",
        )
    version = _ask("gcc", "-dumpfullversion")
    triplet = _ask("gcc", "-dumpmachine")
    machine = triplet.split("-")[0]
    values = {
        "external_gcc_version": version,
        "external_glibc_version": glibc,
        "external_triplet": triplet,
        "external_conda_triplet": f"{machine}-conda-linux-gnu",
        "external_platform": _platform(machine),
        "c_compiler_version": version.split(".")[0],
        "cxx_compiler_version": _ask("g++", "-dumpfullversion").split(".")[0],
        "c_stdlib_version": glibc,
    }
    return {key: [value] for key, value in values.items()}


def _platform(machine: str) -> str:
    try:
        return _PLATFORMS[machine]
    except KeyError:
        raise Unavailable(
            f"no conda platform is known for a {machine} machine", code="toolchain_missing"
        ) from None


def _ask(tool: str, question: str) -> str:
    ended = subprocess.run([tool, question], capture_output=True, text=True)
    answer = ended.stdout.strip()
    if ended.returncode or not answer:
        raise Unavailable(
            f"{tool} {question} fails: {ended.stderr.strip()}", code="toolchain_missing"
        )
    return answer
