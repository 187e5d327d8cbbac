"""A yard in the middle of its work: published, running, failed and waiting builds."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import msgspec

from forgeyard.actions.feedstocks import add_feedstock
from forgeyard.actions.publish import ensure_channel
from forgeyard.actions.submit import submit
from forgeyard.builds.job import LockedPackage
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.store import attempts
from forgeyard.store import builds as stored
from forgeyard.store.tables import builds, feedstocks
from scenarios.played_runner import Http, Play, Runner
from yards import SETTINGS, TestYard, make_yard

_VARIANTS = "python:\n  - '3.11'\n  - '3.12'\n"

#: name → (version, host requirements, summary, licence, home)
PACKAGES: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    "zlib": ("1.3.1", (), "Massively spiffy yet delicately unobtrusive compression", "Zlib"),
    "xz": ("5.6.3", (), "Compression with LZMA, and its library", "0BSD"),
    "libffi": ("3.4.6", (), "Calls functions whose signature is known at run time", "MIT"),
    "libyaml": ("0.2.5", (), "Parses and emits YAML 1.1", "MIT"),
    "sqlite": ("3.46.1", ("zlib",), "A small, fast, self-contained SQL database", "blessing"),
    "libxml2": ("2.13.5", ("zlib", "xz"), "Reads XML and HTML", "MIT"),
    "python": ("3.12.7", ("zlib", "xz", "libffi"), "The Python interpreter", "Python-2.0"),
    "markupsafe": ("3.0.2", ("python",), "Text that is safe in HTML", "BSD-3-Clause"),
    "pyyaml": ("6.0.2", ("python", "libyaml"), "YAML for Python", "MIT"),
    "lxml": ("5.3.0", ("python", "libxml2"), "XML for Python, on libxml2", "BSD-3-Clause"),
}
_PUBLISHED = ("zlib", "xz", "libffi", "libyaml", "python", "markupsafe")
_FAILED = "pyyaml"
_RUNNING = ("sqlite", "libxml2")


class BusyYard(msgspec.Struct, frozen=True):
    """The yard and the attempts that are still running in it."""

    place: TestYard
    play: Play
    running: dict[str, Runner]
    failed: str


def _age(place: TestYard, running: dict[str, Runner]) -> None:
    """As if what runs had been running for a while, and had been built before."""
    with place.yard.store.write() as connection:
        for place_, (name, runner) in enumerate(sorted(running.items()), 1):
            stored.record_duration(connection, name, "linux-64", "build", 240.0 + 80 * place_)
            stored.record_duration(connection, name, "linux-64", "test", 6.0)
            since = place.yard.now() - timedelta(seconds=95 * place_)
            attempts.change(connection, runner.job.attempt_id, started_at=since)
            stored.change(connection, runner.job.build_id, started_at=since)
        stored.record_duration(connection, "lxml", "linux-64", "build", 130.0)
        asked = place.yard.now() - timedelta(minutes=4)
        connection.execute(builds.update().values(created_at=asked))
        # Where a test's folder lies is nobody's business on a picture.
        connection.execute(feedstocks.update().values(origin="/home/ada/feedstocks"))


def recipe(folder: Path, name: str) -> None:
    """A v1 recipe for the platform's subdir."""
    version, host, summary, licence = PACKAGES[name]
    (folder / name).mkdir(exist_ok=True)
    needs = "".join(f"    - {spec}\n" for spec in host)
    (folder / name / "recipe.yaml").write_text(
        "# A feedstock of the busy yard\n"
        "schema_version: 1\n\n"
        "context:\n"
        f'  name: {name}\n  version: "{version}"\n\n'
        "package:\n  name: ${{ name }}\n  version: ${{ version }}\n\n"
        "build:\n  number: 0\n  script:\n"
        "    - ./configure --prefix=$PREFIX\n    - make -j${CPU_COUNT}\n    - make install\n\n"
        + (f"requirements:\n  host:\n{needs}\n" if host else "")
        + "tests:\n  - script:\n"
        f"      - test -e $PREFIX/lib/lib{name}.so\n\n"
        f"about:\n  license: {licence}\n  summary: {summary}\n\n"
        "extra:\n  recipe-maintainers:\n    - ada\n    - grace\n"
    )


def busy_yard(
    folder: Path, http_of: object, server: str = "http://testserver", more_settings: str = ""
) -> BusyYard:
    """Build the world below ``folder``; ``http_of(yard)`` makes the client to speak through."""
    place = make_yard(folder, SETTINGS.replace("Test yard", "Example yard") + more_settings)
    place.yard.folder("pinning").joinpath("variants.yaml").write_text(_VARIANTS)
    for name in PACKAGES:
        recipe(place.feedstocks, name)
    with place.yard.store.write() as connection:
        ensure_channel(connection, place.yard, "main")
    add_feedstock(place.yard, place.owner, str(place.feedstocks))
    submission = submit(place.yard, place.owner)
    assert not submission.problems, submission.problems
    http: Http = http_of(place.yard)  # type: ignore[operator]
    play = Play(place.yard, http, server)
    running: dict[str, Runner] = {}
    failed = ""
    for _ in range(60):
        started = play.dispatch()
        if not started and len(running) >= len(_RUNNING):
            break
        for runner in started:
            if runner.job.name in _RUNNING:
                start_only(runner)
                running[runner.job.name] = runner
            elif runner.job.name == _FAILED:
                fail(runner)
                failed = runner.job.build_id
            elif runner.job.stage == "test":
                test(runner)
            else:
                build(runner)
        play.publish()
    assert failed
    _age(place, running)
    return BusyYard(place, play, running, failed)


def start(runner: Runner) -> None:
    """Fetch and solve."""
    job = runner.job
    runner.phase("fetch", time.time())
    runner.log("fetch", f"source {job.name}-{job.version}.tar.gz: in the yard's mirror")
    runner.log("fetch", "feedstock unpacked: 1 file")
    runner.phase("solve", time.time())
    runner.log("solve", "build environment: \x1b[1m3 packages\x1b[0m", "host environment: locked")


def start_only(runner: Runner) -> None:
    """As far as the middle of its compiling."""
    start(runner)
    runner.phase("build", time.time())
    runner.log("build", "./configure --prefix=$PREFIX", level="cmd")
    runner.log("build", *_CONFIGURE)
    runner.log("build", "make -j2", level="cmd")
    runner.log("build", *(_compile(runner.job.name, part) for part in _PARTS))


def build(runner: Runner) -> None:
    """A build stage that goes well."""
    start_only(runner)
    name = runner.job.name
    runner.log("build", f"\x1b[32m✔\x1b[0m installed \x1b[36mlib/lib{name}.so\x1b[0m")
    files = {
        f"lib/lib{name}.so": b"\x7fELF" + name.encode() * 40,
        f"include/{name}.h": f"#define {name.upper()} 1\n".encode() * 12,
        f"share/man/man3/{name}.3": b".TH\n" * 30,
        f"lib/pkgconfig/{name}.pc": b"prefix=/build\n",
    }
    _, host, summary, licence = PACKAGES[name]
    staged = runner.upload(
        files,
        depends=[f"{spec} >={PACKAGES[spec][0]},<{_next(PACKAGES[spec][0])}" for spec in host],
        summary=summary,
        license=licence,
    )
    runner.log("upload", f"{staged.filename}: {staged.size} bytes, sha256 {staged.sha256[:16]}")
    locks = {"host": tuple(_locked(spec) for spec in host)}
    runner.end(artifacts=(staged,), locks=locks)


def test(runner: Runner) -> None:
    """A test stage that goes well."""
    runner.phase("test", time.time())
    runner.log("test", f"test -e $PREFIX/lib/lib{runner.job.name}.so", level="cmd")
    runner.log("test", "\x1b[32m✔ all tests passed\x1b[0m")
    runner.end()


def fail(runner: Runner) -> None:
    """A script that does not compile."""
    start_only(runner)
    before = 6 + len(_CONFIGURE) + len(_PARTS)
    runner.log("build", "\x1b[1myaml/_yaml.c:2417:12:\x1b[0m in function ‘__pyx_f_scan’:")
    runner.log(
        "build",
        "\x1b[1myaml/_yaml.c:2417:12:\x1b[0m \x1b[1;31merror:\x1b[0m ‘yaml_event_t’ has no member "
        "named ‘flow_level’; did you mean ‘\x1b[32mlevel\x1b[0m’?",
        level="error",
    )
    runner.log("build", " 2417 |   __pyx_v_event->\x1b[1;31mflow_level\x1b[0m = 0;")
    runner.log("build", "make: *** [Makefile:61: _yaml.o] Error 1", level="error")
    runner.end(
        Outcome.FAILED,
        Failure(
            code="script_failed",
            message="The build script ended with status 2: "
            "make: *** [Makefile:61: _yaml.o] Error 1",
            hint="The first error is in the log; repair the recipe or patch the source.",
            phase="build",
            log_line=before + 2,
        ),
    )


_CONFIGURE = (
    "checking for gcc... x86_64-conda-linux-gnu-cc",
    "checking whether the C compiler works... \x1b[32myes\x1b[0m",
    "checking for suffix of object files... o",
    "checking for strerror... \x1b[32myes\x1b[0m",
    "config.status: creating Makefile",
)
_PARTS = ("alloc", "scan", "parse", "emit", "write", "tables", "main")


def _compile(name: str, part: str) -> str:
    return f"\x1b[2mcc\x1b[0m -O2 -fPIC -DNDEBUG -I$PREFIX/include -c src/{name}_{part}.c"


def _locked(name: str) -> LockedPackage:
    version = PACKAGES[name][0]
    return LockedPackage(
        name=name,
        version=version,
        build="h0_0",
        subdir="linux-64",
        url=f"http://testserver/channels/main/linux-64/{name}-{version}-h0_0.conda",
        sha256=name.encode().hex().ljust(64, "0"),
    )


def _next(version: str) -> str:
    return f"{int(version.split('.')[0]) + 1}.0a0"
