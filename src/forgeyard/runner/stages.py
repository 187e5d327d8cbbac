"""The two stages of a build on the machine: ``build`` makes the package, ``test`` tries it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec
import rattler

from forgeyard.builds.job import Job, Limits, LockedPackage, StagedArtifact
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.executors.attempt_dir import RunnerSetup
from forgeyard.runner import contents, failures, locked_channel, package_tests, sandbox
from forgeyard.runner.failures import AttemptFailed
from forgeyard.runner.locking import Environment, Locker
from forgeyard.runner.package_store import Archive, PackageStore
from forgeyard.runner.rendering import RenderedOutput, prepare_crossing, render
from forgeyard.runner.sources.interface import sha256_of
from forgeyard.runner.spool import Spool
from forgeyard.runner.watch import Watch, Watched
from forgeyard.runner.workspace import Workspace
from forgeyard.runner.yard_client import YardClient

_TOLD_DIFFERENCES = 30


class Made(msgspec.Struct, kw_only=True):
    """What a stage has to show for itself; filled as it goes, kept when it fails."""

    artifacts: tuple[StagedArtifact, ...] = ()
    locks: dict[str, tuple[LockedPackage, ...]] = msgspec.field(default_factory=dict)
    watched: Watched | None = None


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What both stages work with."""

    job: Job
    setup: RunnerSetup
    work: Path
    yard: YardClient
    spool: Spool
    enter: Callable[[str], None]
    ends_at: float
    interrupted: Callable[[], Outcome | None]
    #: Around code that polls ``interrupted`` itself.
    calm: Callable[[], AbstractContextManager[None]]

    def say(self, text: str) -> None:
        """One line of the runner's own in the attempt's log."""
        self.spool.write(text)

    @property
    def cache_dir(self) -> Path:
        """Shared by the attempts of this runner."""
        return Path(self.setup.cache_dir)

    def store(self) -> PackageStore:
        """The runner's extracted packages."""
        return PackageStore(self.cache_dir / "packages")

    def locker(self, store: PackageStore, overrides: dict[str, str]) -> Locker:
        """A solver against the job's channels."""
        return Locker(self.job.channels, store, self.cache_dir, self.say, overrides=overrides)


def build(context: Context, made: Made) -> None:
    """Fetch, solve, build, check, upload."""
    if context.job.artifacts:
        reproduce(context, made)
        return
    job = context.job
    store = context.store()
    workspace = Workspace(context.work, job)
    localized, output = _fetch_recipe(context, workspace)
    variant = dict(job.variant)
    if _host_platform(job) != job.build_platform:
        prepare_crossing(job, localized, workspace.recipe, output.build_string)
        variant |= {"host_platform": job.target_platform, "build_platform": job.build_platform}

    context.enter("solve")
    overrides = _overrides(job)
    environments = context.locker(store, overrides).lock_build(
        output.requirements, job.build_platform, _host_platform(job)
    )
    made.locks = {each.name: each.lock() for each in environments}

    context.enter("build")
    order = {
        "do": "build",
        "name": job.name,
        "recipe": f"{sandbox.FEEDSTOCK}/{job.recipe_path}",
        "localized_recipe": f"{sandbox.BUILD}/{localized.name}",
        "variant": variant,
        "target_platform": job.target_platform,
        "build_platform": job.build_platform,
        "package_format": job.package_format,
    }
    channels = _lay_out(context, environments)
    watched = _run(context, made, environments, store, order, channels, overrides)
    package = _made_package(context, watched)

    inspected = contents.inspect(job, package, context.work)
    made.locks = _really_used(environments, inspected.used)
    watched.warnings.extend(inspected.remarks)
    context.enter("upload")
    artifact = inspected.artifact
    context.yard.upload_artifact(artifact.subdir, artifact.filename, package, artifact.sha256)
    context.say(f"uploaded {artifact.subdir}/{artifact.filename}, {artifact.size} bytes")
    made.artifacts = (artifact,)


def reproduce(context: Context, made: Made) -> None:
    """Make the job's artifact again from what it says of itself, and compare the bytes."""
    job = context.job
    (original,) = job.artifacts
    store = context.store()
    _fetch_recipe(context, Workspace(context.work, job))
    package, _ = _fetch_artifact(context, store, original)
    recorded = contents.recorded_environments(store.path(original.sha256))

    context.enter("solve")
    overrides = _overrides(job)
    locker = context.locker(store, overrides)
    environments = [
        locker.recorded(name, platform, records) for name, (platform, records) in recorded.items()
    ]
    made.locks = {each.name: each.lock() for each in environments}

    context.enter("build")
    context.say("rattler-build prints nothing while it rebuilds")
    package = package.rename(context.work / "build" / original.filename)
    order = {"do": "rebuild", "package": f"{sandbox.BUILD}/{original.filename}"}
    channels = _lay_out(context, environments)
    quiet = msgspec.structs.replace(job.limits, silence_seconds=job.limits.wall_seconds)
    watched = _run(context, made, environments, store, order, channels, overrides, limits=quiet)
    again = _made_package(context, watched)
    sha256 = sha256_of(again)
    if sha256 == original.sha256:
        context.say(f"{original.filename}: the same bytes again")
        made.artifacts = (original,)
        return

    context.enter("upload")
    context.yard.upload_artifact(original.subdir, original.filename, again, sha256)
    size = again.stat().st_size
    made.artifacts = (msgspec.structs.replace(original, sha256=sha256, size=size),)
    raise _not_reproducible(original, contents.differences(package, again, context.work))


def _not_reproducible(original: StagedArtifact, differing: list[str]) -> AttemptFailed:
    told = "\n".join(f"  {path}" for path in differing[:_TOLD_DIFFERENCES])
    if len(differing) > _TOLD_DIFFERENCES:
        told += f"\n  and {len(differing) - _TOLD_DIFFERENCES} more"
    failure = Failure(
        code="not_reproducible",
        message=f"{original.filename} is another one when it is built again:\n{told}",
        hint="look for times, random numbers, paths, and orders of files or threads",
        phase="check",
    )
    return AttemptFailed(Outcome.NOT_REPRODUCIBLE, failure)


def _fetch_recipe(context: Context, workspace: Workspace) -> tuple[Path, RenderedOutput]:
    """Feedstock and sources are here afterwards; the localized recipe, and what it says."""
    sandbox.prepare(sandbox.Room(work=context.work, packages={}))
    workspace.unpack_feedstock(context.yard)
    localized = context.work / "build/.recipe.yaml"
    localized.write_text(workspace.localized_recipe())
    output = render(context.job, localized, workspace.recipe)
    workspace.fetch_sources(output, context.yard, context.cache_dir, context.say)
    return localized, output


def test(context: Context, made: Made) -> None:
    """Fetch the artifacts, solve the tests' environments, run the tests."""
    job = context.job
    store = context.store()
    sandbox.prepare(sandbox.Room(work=context.work, packages={}))
    if not job.artifacts:
        raise _infrastructure("nothing_to_test", "the job names no artifact", "fetch")
    for artifact in job.artifacts:
        _test_one(context, made, store, artifact)
    made.artifacts = job.artifacts


def _test_one(context: Context, made: Made, store: PackageStore, artifact: StagedArtifact) -> None:
    context.enter("fetch")
    package, record = _fetch_artifact(context, store, artifact)
    files = store.path(artifact.sha256)

    context.enter("solve")
    itself = _own_channel(context.work / "itself", package, record)
    environments = _lock_tests(context, store, files, record, itself)
    with_files = package_tests.has_downstream(files)
    channels = _lay_out(context, environments, store if with_files else None)
    made.locks = {**made.locks, **{each.name: each.lock() for each in environments}}

    context.enter("test")
    inside = f"{sandbox.BUILD}/{artifact.filename}"
    package.rename(context.work / "build" / artifact.filename)
    order = {"do": "test", "package": inside}
    watched = _run(context, made, environments, store, order, channels, {})
    _judge(context, watched, phase="test")
    assert watched.end is not None
    context.say(f"{watched.end.get('tests', 0)} tests of {artifact.filename} passed")


# ---- solving


def _host_platform(job: Job) -> str:
    return job.build_platform if job.target_platform == "noarch" else job.target_platform


def _overrides(job: Job) -> dict[str, str]:
    """Virtual packages that a variant stands for and a build machine need not have."""
    found = {}
    cuda = str(job.variant.get("cuda_compiler_version", "None"))
    if cuda != "None":
        found["CONDA_OVERRIDE_CUDA"] = cuda
    if job.target_platform.startswith("osx"):
        target = job.variant.get("MACOSX_DEPLOYMENT_TARGET") or job.variant.get("c_stdlib_version")
        found["CONDA_OVERRIDE_OSX"] = str(target or "11.0")
        # rattler-build signs with its own code where there is no codesign(1).
        found["RATTLER_BUILD_BUILTIN_CODESIGN"] = "1"
    return found


def _fetch_artifact(
    context: Context, store: PackageStore, artifact: StagedArtifact
) -> tuple[Path, dict[str, Any]]:
    package = context.work / artifact.filename
    if not context.yard.download_artifact(artifact.sha256, package):
        raise _infrastructure("artifact_missing", f"the yard has no {artifact.filename}", "fetch")
    store.ensure([Archive(url=package.as_uri(), sha256=artifact.sha256)])
    context.say(f"{artifact.filename}: {artifact.size} bytes from the yard")
    record = json.loads((store.path(artifact.sha256) / "info/index.json").read_bytes())
    record |= {"sha256": artifact.sha256, "size": artifact.size}
    return package, record


def _own_channel(path: Path, package: Path, record: dict[str, Any]) -> str:
    """A channel with nothing but the package under test."""
    kind = "packages.conda" if package.name.endswith(".conda") else "packages"
    for subdir in {record["subdir"], "noarch", str(rattler.Subdir.current())}:
        folder = path / subdir
        folder.mkdir(parents=True, exist_ok=True)
        own = {package.name: record} if subdir == record["subdir"] else {}
        repodata = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": {}, kind: own}
        (folder / "repodata.json").write_text(json.dumps(repodata))
    return path.as_uri()


def _lock_tests(
    context: Context, store: PackageStore, files: Path, record: dict[str, Any], itself: str
) -> list[Environment]:
    locker = context.locker(store, {})
    here = str(rattler.Subdir.current())
    host = here if record["subdir"] == "noarch" else record["subdir"]
    found: list[Environment] = []
    needed = package_tests.environments(files, record["name"], record["version"], record["build"])
    for number, each in enumerate(needed):
        name = f"test.{number}" if len(needed) > 1 else "test"
        platform = here if each.on_build_platform else host
        try:
            found.append(
                locker.lock(
                    name,
                    each.specs,
                    platform,
                    first=[itself],
                    leave_out=frozenset({record["name"]}),
                )
            )
        except AttemptFailed as problem:
            unsolvable = problem.failure is not None and problem.failure.code == "unsolvable"
            if not (each.optional and unsolvable):
                raise
            context.say(f"{name} is skipped: {problem}")
    return found


def _lay_out(
    context: Context, environments: list[Environment], store: PackageStore | None = None
) -> list[str]:
    """``store``: fetch the package files too, for tests that read them."""
    records = {each.sha256: each for env in environments for each in env.records}
    platforms = [*(env.platform for env in environments), str(rattler.Subdir.current())]
    channels = [channel.rstrip("/") for channel in context.job.channels]
    folder = context.work / "channel"
    addresses = locked_channel.lay_out(
        channels, records.values(), platforms, folder, with_files=store is not None
    )
    locked_channel.write_cache_locks(records.values(), context.work / "cache")
    if store is not None:
        for each in records.values():
            place = addresses[channels.index(each.channel)].rsplit("/", 1)[-1]
            target = folder / place / each.record["subdir"] / each.file_name
            store.download(Archive(url=each.url, sha256=each.sha256), target)
    return addresses


# ---- running


def _run(
    context: Context,
    made: Made,
    environments: list[Environment],
    store: PackageStore,
    order: dict[str, Any],
    channels: list[str],
    overrides: dict[str, str],
    *,
    limits: Limits | None = None,
) -> Watched:
    job = context.job
    room = sandbox.Room(
        work=context.work,
        packages={
            each.stem: store.path(each.sha256) for env in environments for each in env.records
        },
        cpu_count=job.cpu_count,
        gpus=context.setup.gpus,
        shown=context.setup.shown,
        environment=overrides,
    )
    order = {
        **order,
        "channels": channels,
        "cpu_count": job.cpu_count,
        "file_bytes": job.limits.disk_bytes,
    }
    (context.work / "build/.worker.json").write_text(json.dumps(order))
    watch = Watch(
        room,
        limits or job.limits,
        context.spool,
        name=job.attempt_id,
        ends_at=context.ends_at,
        interrupted=context.interrupted,
        control_groups=context.setup.control_groups,
    )
    with context.calm():
        made.watched = watch.run()
    return made.watched


def _made_package(context: Context, watched: Watched) -> Path:
    _judge(context, watched, phase="build")
    assert watched.end is not None
    inside = [Path(path) for path in watched.end.get("packages", ())]
    if len(inside) != 1 or not inside[0].is_relative_to(sandbox.BUILD):
        raise _infrastructure("no_package", "rattler-build made no package", "package")
    package = context.work / "build" / inside[0].relative_to(sandbox.BUILD)
    if package.is_symlink() or not package.is_file():
        raise _infrastructure("no_package", f"{inside[0]} is not a file", "package")
    return package


def _judge(context: Context, watched: Watched, *, phase: str) -> None:
    """Raise ``AttemptFailed`` unless the worker ended well."""
    if watched.stopped is not None:
        raise AttemptFailed(watched.stopped, watched.failure)
    tail = context.spool.tail
    if watched.end is None:
        said = f"the worker ended with {watched.exit_code} and said nothing"
        raise _infrastructure("worker_died", said, phase)
    if "failed" not in watched.end:
        return
    said = str(watched.end["failed"])
    context.spool.write(said, "error")
    if watched.script_ended:
        raise AttemptFailed(*failures.package_failure(tail, said=said))
    if watched.script_started or phase == "test":
        raise AttemptFailed(*failures.script_failure(tail, phase=phase, said=said))
    raise AttemptFailed(*failures.setup_failure(tail, said=said))


def _really_used(
    environments: list[Environment], used: dict[str, frozenset[str]]
) -> dict[str, tuple[LockedPackage, ...]]:
    """The locks less what rattler-build did not install."""
    return {
        each.name: tuple(
            package
            for package in each.lock()
            if not used.get(each.name) or package.sha256 in used[each.name]
        )
        for each in environments
    }


def _infrastructure(code: str, message: str, phase: str) -> AttemptFailed:
    failure = Failure(code=code, message=message, phase=phase)
    return AttemptFailed(Outcome.INFRASTRUCTURE, failure)
