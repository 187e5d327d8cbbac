"""A runner that is played by a test: it speaks the real runner API and makes real packages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from forgeyard.actions.dispatch import dispatch
from forgeyard.actions.publish import publish_build
from forgeyard.actions.yard import Yard
from forgeyard.builds.job import Job, JobResult, LockedPackage, StagedArtifact, Usage
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.executors.interface import AttemptSpec, AttemptStatus
from forgeyard.store import builds
from package_factory import conda, info_files, paths_json, tar

MACHINE = {
    "kernel": "6.1.0",
    "libc": "2.36",
    "cpu": "2 × Xeon",
    "rattler-build": "0.73.0",
    "sandbox": "bubblewrap 0.8",
}


class Http(Protocol):
    """What is needed of an HTTP client."""

    def request(self, method: str, url: str, **more: Any) -> Any: ...


class HeldExecutor:
    """Takes attempts and waits for somebody to play them."""

    def __init__(self) -> None:
        self.specs: dict[str, AttemptSpec] = {}

    def submit(self, spec: AttemptSpec) -> str:
        self.specs[spec.job.attempt_id] = spec
        return spec.job.attempt_id

    def poll(self, handles: Iterable[str]) -> dict[str, AttemptStatus]:
        return dict.fromkeys(handles, AttemptStatus.RUNNING)

    def cancel(self, handle: str) -> None:
        self.specs.pop(handle, None)

    def adopt(self, attempt_id: str) -> str | None:
        return attempt_id if attempt_id in self.specs else None

    def renew(self, handle: str, token: str, server: str) -> None:
        self.specs[handle] = msgspec.structs.replace(self.specs[handle], token=token)

    def forget(self, handle: str) -> None:
        self.specs.pop(handle, None)

    def kept(self) -> list[str]:
        return list(self.specs)


class Runner:
    """One attempt, played."""

    def __init__(self, http: Http, spec: AttemptSpec) -> None:
        self.http, self.spec, self.job = http, spec, spec.job
        self.base = f"/api/v1/runner/attempts/{spec.job.attempt_id}"
        self.headers = {"Authorization": f"Bearer {spec.token}"}
        self.sent = 0
        self.seconds = 0.0

    def ask(self, method: str, place: str, **more: Any) -> Any:
        headers = {**self.headers, **more.pop("headers", {})}
        return self.http.request(method, self.base + place, headers=headers, **more)

    def phase(self, name: str, at: float) -> None:
        assert self.ask("POST", "/phase", json={"phase": name, "at": at}).status_code == 200

    def log(self, phase: str, *lines: str, level: str = "info") -> None:
        data = b""
        for line in lines:
            self.seconds += 0.137
            entry = {"t": round(self.seconds, 3), "p": phase, "l": level, "m": line}
            data += json.dumps(entry, ensure_ascii=False).encode() + b"\n"
        answer = self.ask("POST", f"/log?offset={self.sent}", content=data)
        assert answer.status_code == 200, answer.text
        self.sent = answer.json()["size"]

    def upload(self, files: Mapping[str, bytes], **about: Any) -> StagedArtifact:
        filename, data = package_of(self.job, files, **about)
        answer = self.ask(
            "PUT",
            f"/artifacts/{self.job.subdir}/{filename}",
            content=data,
            headers={"X-Content-SHA256": hashlib.sha256(data).hexdigest()},
        )
        assert answer.status_code == 200, answer.text
        return msgspec.convert(answer.json(), StagedArtifact)

    def end(
        self,
        outcome: Outcome = Outcome.SUCCEEDED,
        failure: Failure | None = None,
        artifacts: tuple[StagedArtifact, ...] = (),
        locks: Mapping[str, tuple[LockedPackage, ...]] | None = None,
        warnings: tuple[str, ...] = (),
    ) -> None:
        result = JobResult(
            outcome=outcome,
            failure=failure,
            artifacts=artifacts,
            locks=dict(locks or {}),
            usage=Usage(
                wall_seconds=self.seconds,
                cpu_seconds=self.seconds * 0.8,
                peak_memory_bytes=312 * 2**20,
                peak_disk_bytes=87 * 2**20,
            ),
            machine=MACHINE,
            phases={"fetch": 0.4, "solve": 0.9, "build": max(self.seconds - 1.3, 0.1)},
            warnings=warnings,
            log_bytes=self.sent,
        )
        answer = self.ask("POST", "/result", content=msgspec.json.encode(result))
        assert answer.status_code == 200, answer.text


class Play:
    """Dispatches with a held executor and publishes as the daemon does, when it is told to."""

    def __init__(self, yard: Yard, http: Http, server: str = "http://testserver") -> None:
        self.yard, self.http, self.server = yard, http, server
        self.executor = HeldExecutor()

    def dispatch(self) -> list[Runner]:
        before = set(self.executor.specs)
        executors = {pool.name: self.executor for pool in self.yard.pools()}
        dispatch(self.yard, executors, self.server)
        return [
            Runner(self.http, spec)
            for attempt, spec in self.executor.specs.items()
            if attempt not in before
        ]

    def publish(self) -> None:
        with self.yard.store.read() as connection:
            ready = builds.to_publish(connection, self.yard.now().timestamp())
        for build_id in ready:
            publish_build(self.yard, build_id)


def package_of(
    job: Job, files: Mapping[str, bytes], depends: Iterable[str] = (), **about: Any
) -> tuple[str, bytes]:
    """A real ``.conda`` file for a job."""
    distribution = f"{job.name}-{job.version}-{job.build_string}"
    number = int(job.build_string.rsplit("_", 1)[-1])
    extra: dict[str, Any] = {
        "info/about.json": {"summary": f"The {job.name} library", "license": "MIT", **about},
        "info/paths.json": paths_json(dict(files)),
    }
    info = info_files(
        dict(files),
        extra,
        name=job.name,
        version=job.version,
        build=job.build_string,
        build_number=number,
        subdir=job.subdir,
        depends=list(depends),
        license=about.get("license", "MIT"),
        **({"noarch": "generic"} if job.subdir == "noarch" else {}),
    )
    payload = tar(dict(files))
    return f"{distribution}.conda", conda(tar(info), payload, distribution=distribution)
