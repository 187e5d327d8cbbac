"""The spine: overhead over rattler-build alone, time to start, to be seen, to do nothing.

``make bench-spine`` measures, on real recipes of ``examples/``:

a. ``overhead_ratio``: one build at a time through Forgeyard (sandbox, solve, upload, two
   stages, attestation, publication) over rattler-build alone doing build, test and index;
   ``speedup_two_slots``: rattler-build alone, one after the other, over two slots.
b. ``dispatch_*``: from the request for a build until its runner has started, with 100,000
   builds waiting in the queue.
c. ``visible_s``: from the end of a build's last attempt until a client sees the package in
   the channel's sharded index.
d. ``nochange_s``: the whole demo once more, when nothing has changed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.progress import track

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.report import percentile, write_report
from benchmarks.served_yard import FORGEYARD, ServedYard
from forgeyard.channels.shards import decode_shard_index
from forgeyard.runner.recipe_text import with_local_sources

REPOSITORY = Path(__file__).parents[1]
EXAMPLES = REPOSITORY / "examples"
TOOLCHAIN = ("sysroot", "gcc-runtime", "gcc-toolchain")
MEASURED = ("zlib", "bzip2", "libffi", "libyaml", "expat", "xz")
PORT = 8791
SETTINGS = """\
[server]
port = {port}
[pools.local]
cpu = {cpu}
build_threads = 2
"""
THREADS = {"CPU_COUNT": "2"}


def main() -> None:
    """Run all parts and write the report."""
    arguments = _arguments()
    figures: dict[str, float] = {}
    notes: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="forgeyard-bench-") as folder:
        if "a" in arguments.parts:
            measure_overhead(Path(folder), arguments.rounds, figures, notes)
        if "b" in arguments.parts:
            measure_dispatch(Path(folder), arguments.waiting, arguments.builds, figures, notes)
    if "d" in arguments.parts:
        measure_no_change(figures, notes)
    print(f"\nwritten to {write_report('spine', figures, notes)}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of runs of part a")
    parser.add_argument("--waiting", type=int, default=100_000, help="builds in the queue, part b")
    parser.add_argument("--builds", type=int, default=60, help="builds measured in part b")
    parser.add_argument("--parts", default="abd", help="which parts to run")
    return parser.parse_args()


# ── a: overhead over rattler-build alone ──────────────────────────────────────────────


def measure_overhead(
    folder: Path, rounds: int, figures: dict[str, float], notes: dict[str, str]
) -> None:
    """Forgeyard and rattler-build alone in turn, on the same recipes, all sources at hand."""
    feedstocks = folder / "feedstocks"
    for name in (*TOOLCHAIN, *MEASURED):
        shutil.copytree(EXAMPLES / "base" / name, feedstocks / name)
    yard = ServedYard(folder / "yard", SETTINGS.format(port=PORT, cpu=2))
    yard.start()
    yard.post("/feedstocks", {"origin": str(feedstocks)})
    print("warming up: toolchain, sources, caches")
    yard.build([])
    yard.stop()
    bare = _Bare(folder, yard)
    bare.toolchain()
    with _served(yard, cpu=1):
        ours, alone = _in_turn(yard, bare, feedstocks, rounds)
    together = []
    with _served(yard, cpu=2):
        for number in track(range(rounds), description="two slots"):
            _raise_numbers(feedstocks, MEASURED, 1000 + number)
            together.append(_ours(yard, list(MEASURED)))
    # Medians of each recipe first: the machine's speed drifts, and pairs drift together.
    ours_s = sum(statistics.median(times) for times in ours.values())
    alone_s = sum(statistics.median(times) for times in alone.values())
    for name in MEASURED:
        print(f"{name}: {ours[name]} with Forgeyard, {alone[name]} alone")
    figures["overhead_ratio"] = ours_s / alone_s
    figures["speedup_two_slots"] = alone_s / statistics.median(together)
    figures["forgeyard_one_slot_s"] = ours_s
    figures["rattler_build_alone_s"] = alone_s
    figures["forgeyard_two_slots_s"] = statistics.median(together)
    notes["overhead_ratio"] = f"{len(MEASURED)} recipes in turn, medians of {rounds} rounds"
    notes["speedup_two_slots"] = "rattler-build alone, serial, over Forgeyard with two slots"


def _in_turn(
    yard: ServedYard, bare: _Bare, feedstocks: Path, rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Seconds by recipe: Forgeyard with one slot, and rattler-build alone right after it."""
    ours: dict[str, list[float]] = {name: [] for name in MEASURED}
    alone: dict[str, list[float]] = {name: [] for name in MEASURED}
    pairs = [(number, name) for number in range(1, rounds + 1) for name in MEASURED]
    for number, name in track(pairs, description="in turn"):
        _raise_numbers(feedstocks, [name], number)
        ours[name].append(_ours(yard, [name]))
        alone[name].append(bare.measured(feedstocks / name))
    return ours, alone


@contextmanager
def _served(yard: ServedYard, cpu: int) -> Iterator[None]:
    """The yard's server, up and settled, with so many slots."""
    (yard.folder / "forgeyard.toml").write_text(SETTINGS.format(port=PORT, cpu=cpu))
    yard.start()
    try:
        time.sleep(3)
        yield
    finally:
        yard.stop()


def _ours(yard: ServedYard, names: list[str]) -> float:
    """Seconds from the request until the last package is published."""
    began = time.time()
    builds = yard.build(names)
    if len(builds) < len(names):
        raise RuntimeError("not everything was built anew")
    ended = max(datetime.fromisoformat(build["finished_at"]) for build in builds)
    return ended.timestamp() - began


def _raise_numbers(feedstocks: Path, names: Sequence[str], number: int) -> None:
    """New build numbers, so that everything is built, tested and published anew."""
    for name in names:
        recipe = feedstocks / name / "recipe.yaml"
        text, count = re.subn(r"(?m)^(\s+number:) \d+", rf"\1 {number}", recipe.read_text())
        if not count:
            raise RuntimeError(f"{name} has no build number to raise")
        recipe.write_text(text)


class _Bare:
    """rattler-build alone with a channel folder; sources come from the yard's mirror."""

    def __init__(self, folder: Path, yard: ServedYard) -> None:
        self._folder, self._yard = folder, yard
        self._channel = folder / "channel"
        (self._channel / "noarch").mkdir(parents=True)
        (self._channel / "noarch" / "repodata.json").write_text("{}")
        self._pinning = sorted(str(p) for p in (yard.folder / "pinning").glob("*.yaml"))

    def toolchain(self) -> None:
        """Build what the measured recipes need."""
        for name in TOOLCHAIN:
            self._build(EXAMPLES / "base" / name)

    def measured(self, feedstock: Path) -> float:
        """Seconds for one recipe, its sources at hand."""
        ready = self._prepared(feedstock)
        began = time.monotonic()
        self._run(ready)
        return time.monotonic() - began

    def _build(self, feedstock: Path) -> None:
        self._run(self._prepared(feedstock))

    def _prepared(self, feedstock: Path) -> Path:
        """A copy of the recipe whose sources are files of this machine."""
        copy = self._folder / "bare" / feedstock.name
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(feedstock, copy)
        recipe = copy / "recipe.yaml"
        text = with_local_sources(recipe.read_text())
        sources = self._folder / "bare-sources" / feedstock.name
        recipe.write_text(text.replace("file:///sources/", f"file://{sources}/"))
        self._lay_out(feedstock.name, sources)
        return copy

    def _lay_out(self, name: str, sources: Path) -> None:
        """Put the sources of a feedstock where its prepared recipe looks for them."""
        from forgeyard.actions.yard import Yard
        from forgeyard.store.tables import builds

        yard = Yard.open(self._yard.folder)
        with yard.store.read() as connection:
            rows = connection.execute(builds.select().where(builds.c.feedstock_name == name))
            wanted = {(s.urls[0], s.sha256) for row in rows for s in row.sources if s.urls}
        for url, sha256 in wanted:
            target = sources / url
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(yard.objects.get(sha256))
        yard.close()

    def _run(self, recipe: Path) -> None:
        output = self._folder / "bare-output"
        shutil.rmtree(output, ignore_errors=True)
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "RATTLER_CACHE_DIR": str(self._folder / "bare-cache"),
            **THREADS,
        }
        script = Path(__file__).parent / "bare_build.py"
        done = subprocess.run(
            [sys.executable, script, recipe, self._channel, output, *self._pinning],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{recipe.name}: {done.stdout[-3000:]}{done.stderr[-2000:]}")


# ── b, c: until it starts, until it is seen ───────────────────────────────────────────


def measure_dispatch(
    folder: Path, waiting: int, count: int, figures: dict[str, float], notes: dict[str, str]
) -> None:
    """One small build at a time while a great many wait."""
    feedstocks = folder / "ticks"
    for number in range(count):
        _write_tick(feedstocks / f"tick-{number:03}")
    _write_tick(feedstocks / "waiting")
    yard = ServedYard(folder / "queue", SETTINGS.format(port=PORT, cpu=2))
    yard.start()
    yard.post("/feedstocks", {"origin": str(feedstocks)})
    yard.stop()
    print(f"filling the queue with {waiting:,} builds")
    _fill_queue(yard.folder, waiting)
    yard.start()
    starts, visible = [], []
    try:
        for number in track(range(count), description="dispatch"):
            started, seen = _one_tick(yard, f"tick-{number:03}")
            starts.append(started)
            visible.append(seen)
    finally:
        yard.stop()
    figures["dispatch_p50_s"] = percentile(starts, 0.5)
    figures["dispatch_p99_s"] = percentile(starts, 0.99)
    figures["visible_s"] = percentile(visible, 0.5)
    figures["visible_p99_s"] = percentile(visible, 0.99)
    notes["dispatch_p50_s"] = f"request to runner started, {waiting:,} builds waiting, n={count}"
    notes["visible_s"] = "end of the last attempt to the name in the shard index, median"


def _write_tick(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text(
        f"package:\n  name: {folder.name}\n  version: '1'\n"
        "build:\n  number: 0\n  noarch: generic\n  script: touch $PREFIX/$PKG_NAME\n"
        "about:\n  license: MIT\n  summary: A tick\n"
    )


def _fill_queue(folder: Path, count: int) -> None:
    """As many builds as wait in a mass rebuild: most for others, some for their next try."""
    from forgeyard.actions.members import SYSTEM
    from forgeyard.actions.submit import submit
    from forgeyard.actions.yard import Yard
    from forgeyard.store.tables import build_dependencies, builds

    yard = Yard.open(folder)
    submission = submit(yard, SYSTEM, ["waiting"])
    with yard.store.write() as connection:
        first = submission.builds[0].id
        row = dict(connection.execute(builds.select().where(builds.c.id == first)).one()._mapping)
        # The one that all wait for is for a platform that no pool here has, as are a tenth of
        # the others: ready, more urgent than what is measured, and not to be started here.
        elsewhere = {"build_platform": "linux-aarch64", "state": "ready", "rank": -1e6}
        connection.execute(builds.update().values(**elsewhere))
        many = [
            row
            | {"id": f"b-0{number:09}", "input_key": f"{number:064}", "name": f"w-{number}"}
            | (elsewhere if number % 10 == 0 else {"state": "waiting"})
            for number in range(count)
        ]
        connection.execute(builds.insert(), many)
        edges = [
            {"build_id": r["id"], "needs_id": first, "open": True}
            for r in many
            if r["state"] == "waiting"
        ]
        connection.execute(build_dependencies.insert(), edges)
    yard.close()


def _one_tick(yard: ServedYard, name: str) -> tuple[float, float]:
    """Seconds from the request to the runner's start, and from the end to being seen."""
    asked = time.time()
    (build,) = yard.post("/builds", {"feedstocks": [name]})["builds"]
    index = "/channels/main/noarch/repodata_shards.msgpack.zst"
    deadline = time.time() + 60
    while time.time() < deadline:
        body = yard.http.get(index).raise_for_status().content
        seen = time.time()
        if name in decode_shard_index(body).shards:
            break
        time.sleep(0.005)
    else:
        raise RuntimeError(f"{name} was never seen: {yard.get('/builds/' + build['id'])}")
    attempts: list[dict[str, Any]] = yard.get(f"/builds/{build['id']}")["attempts"]
    started = datetime.fromisoformat(attempts[0]["started_at"]).timestamp()
    ended = datetime.fromisoformat(attempts[-1]["finished_at"]).timestamp()
    return started - asked, max(seen - ended, 0.0)


# ── d: nothing has changed ────────────────────────────────────────────────────────────


def measure_no_change(figures: dict[str, float], notes: dict[str, str]) -> None:
    """The demo once more.  The first run builds everything where that was not done yet."""
    command = [*FORGEYARD, "demo", "--exit"]
    environment = os.environ | {"NO_COLOR": "1"}
    print("the demo, to have something that has not changed")
    subprocess.run(command, cwd=REPOSITORY, env=environment, check=True)
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True)
        seconds.append(time.monotonic() - began)
    figures["nochange_s"] = statistics.median(seconds)
    notes["nochange_s"] = "make demo again: evaluate all, build nothing, install, run"


if __name__ == "__main__":
    main()
