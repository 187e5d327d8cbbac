"""The room that a build runs in, made by bubblewrap (bwrap(1)).

Nothing of the machine but a read-only ``/usr``, no network, a private ``/tmp`` and home,
own process, user, ipc and host name namespaces.  Works for root and for ordinary users
alike; inside, both are uid 1000.  When bwrap ends, for whatever reason, the kernel ends
everything that it started, daemons included.

    /build      the attempt's own, writable: what rattler-build works in
    /feedstock  read-only: the recipe          /sources  read-only: the fetched files
    /channel    read-only: the locked channels
    /cache      the attempt's own package cache; its packages are read-only mounts
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from forgeyard.errors import Unavailable
from forgeyard.runner import locked_channel, recipe_text

BUILD = "/build"
FEEDSTOCK = "/feedstock"
CACHE = "/cache"
_FORGEYARD = "/forgeyard"
_USER = 1000

#: Files of /etc that programs expect and that tell nothing about the machine's owner.
_ETC = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/mime.types",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)

_USERS = "root:x:0:0:root:/root:/bin/sh\nbuilder:x:1000:1000:builder:/home/builder:/bin/sh\n"
_GROUP = "root:x:0:\nbuilder:x:1000:\n"
_HOSTS = "127.0.0.1 localhost\n::1 localhost\n"


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt sees."""

    #: Directory of the attempt that holds everything below.
    work: Path
    #: ``NAME-VERSION-BUILD`` → directory of the package store.
    packages: dict[str, Path]
    cpu_count: int = 1
    gpus: tuple[int, ...] = ()
    #: Further paths of the machine, read-only.
    shown: tuple[str, ...] = ()
    #: Added to the few variables that are set anyhow.
    environment: dict[str, str] = {}

    @property
    def build(self) -> Path:
        """Shown as ``/build``."""
        return self.work / "build"


def command(room: Room, arguments: Iterable[str]) -> list[str]:
    """The whole command line that runs ``worker.py`` with these arguments in the room."""
    bwrap = _bwrap()
    return [
        bwrap,
        *_namespaces(),
        *_system(),
        *_interpreter(),
        *_etc(room.work / "etc"),
        *_shown(room.shown),
        *_devices(room.gpus),
        *_attempt(room),
        *_environment(room),
        "--chdir",
        BUILD,
        "--",
        _python(),
        "-I",
        "-S",
        f"{_FORGEYARD}/worker.py",
        *arguments,
    ]


def prepare(room: Room) -> None:
    """Make the directories that ``command`` mounts."""
    for name in ("build", "tmp", "feedstock", "sources", "channel", "cache/pkgs", "etc"):
        (room.work / name).mkdir(parents=True, exist_ok=True)
    (room.work / "etc/passwd").write_text(_USERS)
    (room.work / "etc/group").write_text(_GROUP)
    (room.work / "etc/hosts").write_text(_HOSTS)
    (room.work / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")


def probe() -> str:
    """Version of bubblewrap when a sandbox can be made here; else ``Unavailable``."""
    bwrap = _bwrap()
    version = _output([bwrap, "--version"])
    trial = [bwrap, *_namespaces(), *_system(), "--proc", "/proc", "--dev", "/dev"]
    ended = subprocess.run([*trial, "--", "/usr/bin/true"], capture_output=True, text=True)
    if ended.returncode:
        raise Unavailable(
            f"bubblewrap cannot make a sandbox here: {ended.stderr.strip()}",
            code="sandbox_unavailable",
            hint="allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 (Debian), "
            "kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), "
            "user.max_user_namespaces greater than 0 (all)",
        )
    return version


def _bwrap() -> str:
    found = shutil.which("bwrap")
    if found is None:
        raise Unavailable(
            "bubblewrap is not installed; builds run in its sandbox",
            code="sandbox_unavailable",
            hint="install the package bubblewrap (Debian, Ubuntu: apt install bubblewrap)",
        )
    return found


def _output(argv: list[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True).stdout.strip()


@functools.cache
def _knows_disable_userns() -> bool:
    return "--disable-userns" in _output([_bwrap(), "--help"])


def _namespaces() -> list[str]:
    options = ["--unshare-user", "--uid", str(_USER), "--gid", str(_USER)]
    options += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"]
    options += ["--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    if _knows_disable_userns():  # bubblewrap 0.8: no further namespaces inside
        options.append("--disable-userns")
    return [*options, "--hostname", "build"]


def _system() -> list[str]:
    """``/usr`` and the links or directories that go with it on this machine."""
    options = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        path = Path("/") / name
        if path.is_symlink():
            options += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    return options


def _python() -> str:
    # The interpreter below the virtual environment: the environment itself stays outside.
    return str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


def _interpreter() -> list[str]:
    # What the machine's owner installed by hand is no part of any build.
    options = ["--tmpfs", "/usr/local"] if Path("/usr/local").is_dir() else []
    prefix = Path(sys.base_prefix)
    if prefix.is_relative_to("/usr/local") or not prefix.is_relative_to("/usr"):
        options += ["--ro-bind", str(prefix), str(prefix)]
    found = importlib.util.find_spec("rattler_build")
    if found is None or found.origin is None:
        raise Unavailable("py-rattler-build is not installed", code="tool_missing")
    options += ["--ro-bind", str(Path(found.origin).parent), f"{_FORGEYARD}/site/rattler_build"]
    worker = Path(__file__).with_name("worker.py")
    return [*options, "--ro-bind", str(worker), f"{_FORGEYARD}/worker.py"]


def _shown(paths: tuple[str, ...]) -> list[str]:
    # Where the vendor's installer puts the toolkit; links name the version.
    toolkits = sorted(str(path) for path in Path("/usr/local").glob("cuda*"))
    options: list[str] = []
    for path in dict.fromkeys((*toolkits, *paths)):
        options += ["--ro-bind", path, path]
    return options


def _etc(etc: Path) -> list[str]:
    options: list[str] = []
    for name in ("passwd", "group", "hosts", "nsswitch.conf"):
        options += ["--ro-bind", str(etc / name), f"/etc/{name}"]
    for path in _ETC:
        options += ["--ro-bind-try", path, path]
    return options


def _devices(gpus: tuple[int, ...]) -> list[str]:
    options = ["--proc", "/proc", "--dev", "/dev"]
    if gpus:
        shared = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")
        for name in (*(f"nvidia{number}" for number in gpus), *shared):
            options += ["--dev-bind-try", f"/dev/{name}", f"/dev/{name}"]
    return options


def _attempt(room: Room) -> list[str]:
    work = room.work
    options = ["--tmpfs", "/home", "--dir", "/home/builder", "--bind", str(work / "tmp"), "/tmp"]  # noqa: S108
    options += ["--bind", str(room.build), BUILD]
    for name, inside in (
        ("feedstock", FEEDSTOCK),
        ("sources", recipe_text.ROOT),
        ("channel", locked_channel.ROOT),
    ):
        options += ["--ro-bind", str(work / name), inside]
    options += ["--bind", str(work / "cache"), CACHE]
    for stem, path in room.packages.items():
        options += ["--ro-bind", str(path), f"{CACHE}/pkgs/{stem}"]
    return options


def _environment(room: Room) -> list[str]:
    variables = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/home/builder",
        "USER": "builder",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",  # noqa: S108
        "RATTLER_CACHE_DIR": CACHE,
        "CPU_COUNT": str(room.cpu_count),
        **_overrides(),
        **room.environment,
    }
    options = ["--clearenv"]
    for name, value in variables.items():
        options += ["--setenv", name, value]
    return options


def _overrides() -> dict[str, str]:
    """Virtual packages that the runner's owner declares (``CONDA_OVERRIDE_CUDA`` …)."""
    names = ("CUDA", "GLIBC", "OSX", "ARCHSPEC")
    found = {f"CONDA_OVERRIDE_{name}": os.environ.get(f"CONDA_OVERRIDE_{name}") for name in names}
    return {name: value for name, value in found.items() if value is not None}
