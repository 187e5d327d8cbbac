"""A yard, a channel and an executor; the sandbox and rattler-build are the real ones."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rattler_build
import zstandard
from rattler.package_streaming import extract

from forgeyard.builds.job import Job, JobResult, Limits, StagedArtifact
from forgeyard.builds.outcome import Stage
from forgeyard.errors import Unavailable
from forgeyard.executors.interface import AttemptSpec, AttemptStatus
from forgeyard.executors.local import LocalExecutor
from forgeyard.runner import sandbox
from functional.runner.yard_double import YardDouble

LIMITS = Limits(
    wall_seconds=60,
    silence_seconds=30,
    log_bytes=2**20,
    memory_bytes=2**30,
    disk_bytes=200 * 2**20,
    processes=200,
)

RECIPE = """\
package: {name: demo, version: "1.0"}
build:
  number: 0
  script:
    - mkdir -p $PREFIX/share
    - echo made > $PREFIX/share/demo
tests:
  - script:
      - test -f $PREFIX/share/demo
about: {license: MIT, summary: a demo}
"""


class Bench:
    """Submits recipes as attempts and waits for them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.yard = YardDouble(root / "yard")
        self.executor = LocalExecutor(root / "runner", heartbeat_seconds=0.3, grace_seconds=3.0)
        self._numbers = itertools.count(1)
        self.add_packages()

    def add_package(
        self,
        name: str,
        files: dict[str, str],
        *,
        version: str = "1.0",
        depends: tuple[str, ...] = (),
        run_exports: dict[str, list[str]] | None = None,
        subdir: str = "noarch",
    ) -> None:
        staged = self.root / "staged" / name
        for path, text in files.items():
            file = staged / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            file.chmod(0o755 if path.startswith("bin/") else 0o644)
        staged.mkdir(parents=True, exist_ok=True)
        out = self.yard.channel / subdir
        out.mkdir(exist_ok=True)
        made = rattler_build.assemble_package(
            name=name,
            version=version,
            target_platform=subdir,
            build_string="h0_0",
            output_dir=out,
            files_dir=staged,
            depends=list(depends),
            noarch="generic" if subdir == "noarch" else None,
        )
        path = Path(str(made.path))
        if run_exports:
            path = _with_run_exports(path, run_exports)
        self._list(path, subdir)

    def add_packages(self) -> None:
        for subdir in ("noarch", "linux-64", "linux-aarch64"):
            self._list(None, subdir)

    def _list(self, path: Path | None, subdir: str) -> None:
        index = self.yard.channel / subdir / "repodata.json"
        index.parent.mkdir(exist_ok=True)
        repodata = (
            json.loads(index.read_text())
            if index.exists()
            else {"info": {"subdir": subdir}, "packages": {}, "packages.conda": {}}
        )
        if path is not None:
            folder = self.root / "unpacked" / path.stem
            extract(path, folder)
            record = json.loads((folder / "info/index.json").read_text())
            data = path.read_bytes()
            record |= {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
            repodata["packages.conda"][path.name] = record
        index.write_text(json.dumps(repodata))

    def job(
        self,
        recipe: str = RECIPE,
        *,
        files: dict[str, str] | None = None,
        limits: Limits = LIMITS,
        output: str | None = None,
        target: str = "linux-64",
        **changes: Any,
    ) -> Job:
        """A job for one output of a recipe, the first unless it is named."""
        outputs = rattler_build.Stage0Recipe.from_yaml(
            recipe, recipe_dir=self.root / "rendered"
        ).render(
            rattler_build.VariantConfig(
                {key: [value] for key, value in changes.get("variant", {}).items()}
            ),
            rattler_build.RenderConfig(
                platform=rattler_build.PlatformConfig(
                    target_platform=target, build_platform="linux-64", host_platform=target
                )
            ),
        )
        each = (found.recipe.to_dict() for found in outputs)
        found = next(one for one in each if output in (None, one["package"]["name"]))
        number = next(self._numbers)
        job = Job(
            attempt_id=f"a-{number}",
            build_id=f"b-{number}",
            stage=Stage.BUILD,
            server=self.yard.url,
            channels=(self.yard.channel_url,),
            feedstock=self.yard.put(archive({"recipe.yaml": recipe, **(files or {})})),
            name=found["package"]["name"],
            version=str(found["package"]["version"]),
            build_string=found["build"]["string"],
            subdir="noarch" if "noarch" in found["build"] else target,
            build_platform="linux-64",
            target_platform=target,
            variant={},
            limits=limits,
        )
        return msgspec.structs.replace(job, **changes)

    def publish(self, artifact: StagedArtifact) -> None:
        path = self.yard.channel / artifact.subdir / artifact.filename
        path.write_bytes((self.yard.objects / artifact.sha256).read_bytes())
        self._list(path, artifact.subdir)

    def test_job(self, built: Job, artifacts: tuple[StagedArtifact, ...]) -> Job:
        return msgspec.structs.replace(
            built,
            attempt_id=f"a-{next(self._numbers)}",
            stage=Stage.TEST,
            artifacts=artifacts,
        )

    def submit(self, job: Job) -> str:
        self.yard.jobs[job.attempt_id] = job
        self.yard.tokens[job.attempt_id] = "secret-one"
        return self.executor.submit(AttemptSpec(job=job, token="secret-one"))

    def wait(self, handle: str, seconds: float = 30.0) -> AttemptStatus:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status = self.executor.poll([handle])[handle]
            if status is not AttemptStatus.RUNNING:
                return status
            time.sleep(0.02)
        raise AssertionError(
            f"{handle} still runs:\n{self.yard.text(handle)}\n{self.errors(handle)}"
        )

    def errors(self, handle: str) -> str:
        return (self.root / "runner/attempts" / handle / "supervisor.err").read_text()

    def run(self, recipe: str = RECIPE, **how: Any) -> JobResult:
        return self.run_job(self.job(recipe, **how))

    def run_job(self, job: Job) -> JobResult:
        handle = self.submit(job)
        self.wait(handle)
        assert handle in self.yard.results, self.errors(handle)
        return self.yard.results[handle]

    def wait_for(self, condition: Callable[[], bool], seconds: float = 15.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    def wait_for_line(self, handle: str, text: str) -> None:
        self.wait_for(lambda: text in self.yard.text(handle))

    def close(self) -> None:
        for handle in self.executor.kept():
            self.executor.cancel(handle)
        self.executor.close()
        self.yard.stop()


def archive(files: dict[str, str]) -> bytes:
    """A feedstock's ``tar.zst``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text.encode())
            tar.addfile(info, io.BytesIO(text.encode()))
    return zstandard.compress(buffer.getvalue())


def _with_run_exports(path: Path, run_exports: dict[str, list[str]]) -> Path:
    """The same package as tar.bz2 would do, too; ``assemble_package`` knows no run exports."""
    import zipfile

    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    name = next(each for each in members if each.startswith("info-"))
    plain = io.BytesIO(zstandard.ZstdDecompressor().stream_reader(members[name]).read())
    out = io.BytesIO()
    with tarfile.open(fileobj=plain) as old_tar, tarfile.open(fileobj=out, mode="w") as tar:
        for member in old_tar.getmembers():
            tar.addfile(member, old_tar.extractfile(member) if member.isfile() else None)
        data = json.dumps(run_exports).encode()
        info = tarfile.TarInfo("info/run_exports.json")
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
    members[name] = zstandard.compress(out.getvalue())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as new:
        for each in sorted(members, key=lambda each: each != "metadata.json"):
            new.writestr(each, members[each])
    return path


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    try:
        sandbox.probe()
    except Unavailable as problem:
        pytest.skip(str(problem))
    made = Bench(tmp_path)
    yield made
    made.close()
