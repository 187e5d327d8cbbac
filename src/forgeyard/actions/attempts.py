"""What a runner says of its attempt: phases, log, artifacts, result.

An attempt's token lives minutes and is good for that attempt alone.  An attempt that is
no longer the build's current one is fenced off: AttemptGone.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from forgeyard.actions.advance import advance
from forgeyard.actions.yard import Yard
from forgeyard.builds.job import Job, JobResult, StagedArtifact
from forgeyard.builds.machine import AttemptEnded
from forgeyard.builds.outcome import Failure, Outcome, Stage
from forgeyard.channels.package_file import digest_file, read_package
from forgeyard.channels.record import read_record
from forgeyard.errors import BadInput, Conflict, ForgeyardError, NotFound, Unauthenticated
from forgeyard.governance.token import format_token, parse_token, token_digest
from forgeyard.store import artifacts, attempts, builds, channels

TOKEN_LIFETIME = timedelta(minutes=15)
_RENEW_BEFORE = timedelta(minutes=10)


class AttemptGone(ForgeyardError):
    """The attempt may no longer act: it ended, was cancelled or another took its place."""

    code = "attempt_gone"


class LogOffset(Conflict):
    """A piece of log that does not begin where the stored log ends."""

    code = "log_offset"

    def __init__(self, size: int) -> None:
        super().__init__(f"the stored log has {size} bytes", hint="Send again from there.")
        self.size = size


class AttemptAccess(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that the caller is the current attempt of a build."""

    attempt_id: str
    build_id: str
    stage: Stage
    cancel: bool
    token_expires_at: datetime


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """What a runner hears when it says that it lives."""

    cancel: bool
    #: A fresh token, when the old one ends soon.
    token: str | None = None


def new_token(attempt_id: str) -> tuple[str, str]:
    """Text and digest of a fresh token of an attempt."""
    secret = secrets.token_hex(24)
    return format_token(attempt_id, secret), token_digest(secret)


def attempt_for_token(yard: Yard, attempt_id: str, token_text: str) -> AttemptAccess:
    """The attempt behind a token.  Raises Unauthenticated or AttemptGone."""
    parsed = parse_token(token_text)
    with yard.store.read() as connection:
        row = attempts.get(connection, attempt_id)
        build = builds.get(connection, row.build_id) if row else None
    good = (
        parsed is not None
        and row is not None
        and parsed.id == attempt_id
        and row.token_digest is not None
        and secrets.compare_digest(row.token_digest, token_digest(parsed.secret))
    )
    if not good or row is None or build is None:
        raise Unauthenticated("this token is not good for this attempt", code="token_unknown")
    if row.state == "ended" or build.attempt_id != attempt_id:
        raise AttemptGone(f"{attempt_id} is no longer the current attempt of {build.id}")
    if row.token_expires_at <= yard.now():
        raise Unauthenticated("this attempt's token has expired", code="token_expired")
    return AttemptAccess(
        attempt_id=attempt_id,
        build_id=build.id,
        stage=Stage(row.stage),
        cancel=row.cancel,
        token_expires_at=row.token_expires_at,
    )


def job_of(yard: Yard, attempt_id: str, server: str) -> Job:
    """All that the runner gets to know of an attempt."""
    with yard.store.read() as connection:
        attempt = attempts.get(connection, attempt_id)
        if attempt is None:
            raise NotFound(f"there is no attempt {attempt_id}", code="attempt_unknown")
        build = builds.get(connection, attempt.build_id)
        made = staged_artifacts(connection, attempt.build_id)
    assert build is not None
    settings = yard.settings
    pool = next((p for p in yard.pools() if p.name == attempt.pool), None)
    return Job(
        attempt_id=attempt_id,
        build_id=build.id,
        stage=Stage(attempt.stage),
        server=server,
        channels=(f"{server}/channels/{settings.yard.channel}", *settings.yard.upstreams),
        feedstock=build.feedstock_digest,
        recipe_path=build.recipe_path,
        name=build.name,
        version=build.version,
        build_string=build.build_string,
        subdir=build.subdir,
        build_platform=build.build_platform,
        target_platform=build.target_platform,
        variant=build.variant,
        sources=build.sources,
        limits=settings.limits.as_limits(attempt.resources.memory_bytes),
        cpu_count=pool.build_threads if pool else 1,
        package_format=settings.package_format,
        timestamp=build.timestamp,
        artifacts=made if attempt.stage == Stage.TEST else (),
    )


def staged_artifacts(connection: Any, build_id: str) -> tuple[StagedArtifact, ...]:
    """What the last build stage of a build made."""
    for row in reversed(attempts.of_build(connection, build_id)):
        if row.stage == Stage.BUILD and row.result is not None:
            made: tuple[StagedArtifact, ...] = row.result.artifacts
            return made
    return ()


def record_phase(yard: Yard, access: AttemptAccess, phase: str, at: float) -> None:
    """The attempt has reached a phase; the first one means that its runner has started."""
    with yard.store.write() as connection:
        row = attempts.get(connection, access.attempt_id)
        assert row is not None
        now = yard.now()
        # A runner's clock may be wrong; an attempt cannot start before it was made.
        told = min(max(datetime.fromtimestamp(at, UTC), row.created_at), now)
        values: dict[str, Any] = {"phase": phase, "seen_at": now, "state": "running"}
        if row.started_at is None:
            values["started_at"] = told
        attempts.change(connection, access.attempt_id, **values)


def heartbeat(yard: Yard, access: AttemptAccess) -> Heartbeat:
    """Note that the runner lives, and renew its token in time."""
    now = yard.now()
    text: str | None = None
    values: dict[str, Any] = {"seen_at": now}
    if access.token_expires_at - now < _RENEW_BEFORE:
        text, digest = new_token(access.attempt_id)
        values |= {"token_digest": digest, "token_expires_at": now + TOKEN_LIFETIME}
    with yard.store.write() as connection:
        attempts.change(connection, access.attempt_id, **values)
    return Heartbeat(cancel=access.cancel, token=text)


# ── the log ───────────────────────────────────────────────────────────────────────────

_log_locks: dict[str, threading.Lock] = {}
_log_locks_guard = threading.Lock()


def log_path(yard: Yard, attempt_id: str) -> Path:
    """Where the log of a running attempt grows: JSON lines."""
    return yard.folder("logs") / f"{attempt_id}.jsonl"


@contextmanager
def _log_lock(attempt_id: str) -> Iterator[None]:
    with _log_locks_guard:
        lock = _log_locks.setdefault(attempt_id, threading.Lock())
    with lock:
        yield


def append_log(yard: Yard, access: AttemptAccess, offset: int, data: bytes) -> int:
    """Add what comes at ``offset``; returns the stored size.

    What is stored already is skipped, so a repeated message does no harm.  Raises
    LogOffset when something between is missing.
    """
    with _log_lock(access.attempt_id), log_path(yard, access.attempt_id).open("ab") as file:
        size = file.tell()
        if offset > size:
            raise LogOffset(size)
        file.write(data[size - offset :])
        file.flush()
        return max(size, offset + len(data))


def read_log(yard: Yard, attempt_id: str) -> bytes:
    """The whole log of an attempt, running or ended: JSON lines."""
    with yard.store.read() as connection:
        row = attempts.get(connection, attempt_id)
    if row is None:
        raise NotFound(f"there is no attempt {attempt_id}", code="attempt_unknown")
    if row.log_digest is not None:
        return zstandard.ZstdDecompressor().decompress(yard.objects.get(row.log_digest))
    path = log_path(yard, attempt_id)
    return path.read_bytes() if path.exists() else b""


def _store_log(yard: Yard, attempt_id: str) -> tuple[int, str | None]:
    """Put the finished log into the object store: size and digest."""
    path = log_path(yard, attempt_id)
    if not path.exists():
        return 0, None
    data = path.read_bytes()
    packed = zstandard.ZstdCompressor(level=9).compress(data)
    return len(data), yard.objects.put_bytes(packed)


# ── what it makes ─────────────────────────────────────────────────────────────────────


def stage_artifact(
    yard: Yard, access: AttemptAccess, subdir: str, filename: str, file: Path, sha256: str
) -> StagedArtifact:
    """Take a package file in: hash, open and check it; not published yet."""
    with yard.store.read() as connection:
        build = builds.get(connection, access.build_id)
    assert build is not None
    expected = f"{build.name}-{build.version}-{build.build_string}."
    if not filename.startswith(expected) or subdir != build.subdir:
        raise BadInput(
            f"this attempt may make {build.subdir}/{expected}conda, not {subdir}/{filename}",
            code="artifact_unexpected",
        )
    with file.open("rb") as opened:
        facts = digest_file(opened)
        if facts.sha256 != sha256:
            raise BadInput(
                f"{filename} arrived with sha256 {facts.sha256}, not {sha256}",
                code="sha256_mismatch",
                hint="Send it again.",
            )
        opened.seek(0)
        contents = read_package(opened, filename)
    now = yard.now()
    record = read_record(
        contents.index_json,
        filename=filename,
        subdir=subdir,
        size=facts.size,
        sha256=facts.sha256,
        md5=facts.md5,
        run_exports=contents.run_exports,
        indexed_timestamp=int(now.timestamp() * 1000),
    )
    yard.objects.put_file(file, facts.sha256)
    paths_digest = yard.objects.put_bytes(msgspec.json.encode(contents.paths))
    with yard.store.write() as connection:
        artifacts.add(
            connection,
            sha256=facts.sha256,
            filename=filename,
            subdir=subdir,
            size=facts.size,
            md5=facts.md5,
            name=record.name,
            version=record.index.version,
            build_string=record.index.build,
            build_number=record.index.build_number,
            record=record.repodata_entry(),
            about=contents.about,
            paths_digest=paths_digest,
            content_digest=contents.content_digest,
            build_id=access.build_id,
            attempt_id=access.attempt_id,
            created_at=now,
        )
    return StagedArtifact(filename=filename, subdir=subdir, sha256=sha256, size=facts.size)


def keep_source(yard: Yard, access: AttemptAccess, sha256: str, file: Path) -> None:
    """Keep a source that a runner had to fetch, under its sha256, in the source mirror."""
    digest, size = yard.objects.put_file(file, sha256)
    with yard.store.write() as connection:
        artifacts.add_source(
            connection,
            sha256=digest,
            size=size,
            first_attempt_id=access.attempt_id,
            created_at=yard.now(),
        )


def has_source(yard: Yard, sha256: str) -> bool:
    """Whether the source mirror can serve a file."""
    with yard.store.read() as connection:
        return artifacts.has_source(connection, sha256) and yard.objects.exists(sha256)


# ── its end ───────────────────────────────────────────────────────────────────────────


def finish_attempt(yard: Yard, access: AttemptAccess, result: JobResult) -> None:
    """Take the result of an attempt; what it means for the build follows at once.

    A result that comes twice finds the attempt ended and is refused as AttemptGone.
    """
    outcome, failure = _judge(yard, access, result)
    end_attempt(yard, access.attempt_id, outcome, failure, result)


def end_attempt(
    yard: Yard,
    attempt_id: str,
    outcome: Outcome,
    failure: Failure | None,
    result: JobResult | None = None,
) -> None:
    """Write down how an attempt ended, and move its build on."""
    log_bytes, log_digest = _store_log(yard, attempt_id)
    most_memory = max((pool.capacity.memory_bytes for pool in yard.pools()), default=0)
    now = yard.now()
    with yard.store.write() as connection:
        row = attempts.get(connection, attempt_id)
        if row is None or row.state == "ended":
            return
        attempts.change(
            connection,
            attempt_id,
            state="ended",
            outcome=outcome.value,
            failure=failure,
            finished_at=now,
            log_bytes=log_bytes,
            log_digest=log_digest,
            token_digest=None,
            result=result,
        )
        event = AttemptEnded(
            attempt_id=attempt_id,
            outcome=outcome,
            failure=failure,
            most_memory_bytes=most_memory,
        )
        advance(connection, row.build_id, event, now)
        if result is not None and outcome in (Outcome.SUCCEEDED, Outcome.UNCHANGED):
            build = builds.get(connection, row.build_id)
            assert build is not None
            started = row.started_at or row.created_at
            builds.record_duration(
                connection,
                build.name,
                build.target_platform,
                row.stage,
                (now - started).total_seconds(),
            )
    if log_digest is not None:
        log_path(yard, attempt_id).unlink(missing_ok=True)
        with _log_locks_guard:
            _log_locks.pop(attempt_id, None)


def _judge(yard: Yard, access: AttemptAccess, result: JobResult) -> tuple[Outcome, Failure | None]:
    """The outcome as the yard sees it, which need not be what the runner says."""
    if access.stage is not Stage.BUILD or result.outcome is not Outcome.SUCCEEDED:
        return result.outcome, result.failure
    with yard.store.read() as connection:
        known = {
            a.sha256: a for a in artifacts.many(connection, [a.sha256 for a in result.artifacts])
        }
        channel = channels.by_name(connection, yard.settings.yard.channel)
        published = [
            channels.file(connection, channel.id, a.subdir, a.filename) if channel else None
            for a in result.artifacts
        ]
    if not result.artifacts or len(known) != len({a.sha256 for a in result.artifacts}):
        return Outcome.INFRASTRUCTURE, Failure(
            code="artifacts_missing",
            message="the runner said that it made packages which did not arrive here",
            phase="upload",
        )
    pairs = list(zip(result.artifacts, published, strict=True))
    if all(old is not None and _same(known[new.sha256], old) for new, old in pairs):
        return Outcome.UNCHANGED, None
    for new, old in pairs:
        if old is not None and not _same(known[new.sha256], old):
            return Outcome.FAILED, taken_filename(new.filename)
    return Outcome.SUCCEEDED, None


def _same(new: Any, old: Any) -> bool:
    return bool(new.sha256 == old.sha256 or new.content_digest == old.content_digest)


def taken_filename(filename: str) -> Failure:
    """The failure of a build that makes another file under a name that is taken."""
    return Failure(
        code="filename_taken",
        message=f"{filename} is published already, with other content",
        hint="A file name never changes its bytes: raise build.number in the recipe, "
        "or make two recipes' outputs differ in name, version or variant.",
        phase="publish",
    )
