"""What a machine is: kernel, C library, processor, tools.  Kept with every artifact."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path


@functools.cache
def machine_facts() -> dict[str, str]:
    """Facts of this machine; a tool that is not here has no key."""
    facts = {
        "kernel": platform.release(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "libc": glibc_version() or "",
        "distribution": _distribution(),
        "cpu": _cpu(),
        "cpu_count": str(os.cpu_count() or 0),
        "memory_bytes": str(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")),
        "python": platform.python_version(),
    }
    for package in ("py-rattler", "py-rattler-build"):
        facts[package] = metadata.version(package)
    if found := _version_of("bwrap"):
        facts["bubblewrap"] = found.split()[-1]
    return {key: value for key, value in facts.items() if value}


def glibc_version() -> str | None:
    """Such as ``2.36``; None where the C library is another one."""
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError):
        return None
    return name.split()[-1] if name else None


def _version_of(tool: str) -> str | None:
    path = shutil.which(tool)
    if path is None:
        return None
    ended = subprocess.run([path, "--version"], capture_output=True, text=True)
    return ended.stdout.splitlines()[0].strip() if ended.stdout else None


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model", "cpu model"):
            return value.strip()
    return ""
