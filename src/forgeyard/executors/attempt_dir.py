"""The directory of one attempt on the build machine: who writes which file.

ATTEMPT_DIR/
├── job.json          the Job                                   (executor)
├── token             bearer token, 0600, replaced by renew     (executor)
├── setup.json        RunnerSetup                               (executor)
├── supervisor.json   ProcessIdentity of the supervisor         (executor, supervisor)
├── cancel            its existence asks for the end            (executor)
├── log.jsonl         the log as it is written                  (supervisor)
├── result.json       JobResult, durable before it is sent      (supervisor)
├── delivered         the yard has taken the result             (supervisor)
├── supervisor.err    what the supervisor itself printed
└── work/             workspace, removed at the end
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from pathlib import Path

import msgspec

from forgeyard.builds.job import Job, JobResult
from forgeyard.executors.processes import ProcessIdentity


class RunnerSetup(msgspec.Struct, frozen=True, kw_only=True):
    """What the runner's owner, not the yard, decides about an attempt."""

    #: Shared between the attempts of this runner: packages, repodata, apt lists.
    cache_dir: str
    #: Device numbers of the GPUs that the attempt may use.
    gpus: tuple[int, ...] = ()
    #: Paths of the machine that builds may see, read-only, besides ``/usr``.
    shown: tuple[str, ...] = ()
    heartbeat_seconds: float = 5.0
    #: Packages that no attempt used for a day are removed beyond this.
    cache_bytes: int = 20 * 2**30
    #: Use control groups where this user can make some.
    control_groups: bool = True


def write_durably(path: Path, data: bytes, mode: int = 0o644) -> None:
    """All of it or nothing, also when the power fails."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise


class AttemptDir:
    """Paths and files of one attempt."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.work = path / "work"
        self.log = path / "log.jsonl"
        self.cancel_request = path / "cancel"
        self.delivered = path / "delivered"
        self.errors = path / "supervisor.err"

    def write_inputs(self, job: Job, token: str, setup: RunnerSetup) -> None:
        """Everything that the supervisor needs."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.write_token(token)
        (self.path / "setup.json").write_bytes(msgspec.json.encode(setup))
        (self.path / "job.json").write_bytes(msgspec.json.encode(job))

    def job(self) -> Job:
        """What to do."""
        return msgspec.json.decode((self.path / "job.json").read_bytes(), type=Job)

    def setup(self) -> RunnerSetup:
        """What the runner's owner says."""
        return msgspec.json.decode((self.path / "setup.json").read_bytes(), type=RunnerSetup)

    def write_token(self, token: str) -> None:
        """Readable by this user only, and replaced in one go."""
        write_durably(self.path / "token", token.encode(), mode=0o600)

    def write_server(self, server: str) -> None:
        """The yard answers at another address than the job says."""
        write_durably(self.path / "server", server.encode())

    def server(self) -> str | None:
        """The yard's address where it is not the job's; read like the token."""
        path = self.path / "server"
        return path.read_text() if path.exists() else None

    def token(self) -> str:
        """Read at every request: ``renew`` may have replaced it."""
        return (self.path / "token").read_text().strip()

    def claim(self) -> int | None:
        """An open lock that only one supervisor at a time can have; None: another has it."""
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return handle

    def write_supervisor(self, identity: ProcessIdentity) -> None:
        """Record who attends the attempt."""
        write_durably(self.path / "supervisor.json", msgspec.json.encode(identity))

    def supervisor(self) -> ProcessIdentity | None:
        """Who attends the attempt, or did."""
        try:
            data = (self.path / "supervisor.json").read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(data, type=ProcessIdentity)

    def write_result(self, result: JobResult) -> None:
        """Durable when this returns."""
        write_durably(self.path / "result.json", msgspec.json.encode(result))

    def result(self) -> JobResult | None:
        """How it ended, once it has."""
        try:
            data = (self.path / "result.json").read_bytes()
        except FileNotFoundError:
            return None
        return msgspec.json.decode(data, type=JobResult)
