"""Statements about an artifact: in-toto Statement v1.

Two kinds: *published here* (CEP 27), which binds a file to a channel, and *built so* (SLSA
provenance v1), which names everything the build had: the feedstock, the variant, the
sources and every package of every environment, each by its digest.

Statements are canonical JSON, so that the same facts are the same bytes.  Signing them is
somebody else's job.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from forgeyard.builds.job import Source
from forgeyard.channels.names import ArtifactName
from forgeyard.errors import BadInput
from forgeyard.provenance.lock import Locks

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PUBLISH_PREDICATE = "https://schemas.conda.org/attestations-publish-1.schema.json"
BUILD_PREDICATE = "https://slsa.dev/provenance/v1"
#: What ``externalParameters`` and ``internalParameters`` mean.
BUILD_TYPE = "urn:forgeyard:build:v1"

_SHA256 = re.compile(r"[0-9a-f]{64}")


class BadStatement(BadInput):
    """A statement does not say what it must."""

    code = "bad_statement"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The artifact that a statement is about."""

    filename: str
    sha256: str


class BuildFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the attempt that made an artifact."""

    #: Address of the yard: who vouches for the rest.
    builder: str
    builder_version: str
    build_id: str
    attempt_id: str
    started_at: datetime
    finished_at: datetime
    feedstock: str
    #: sha256 of the feedstock's archive.
    feedstock_digest: str
    #: Where the archive was taken from, with its commit if it is a repository.
    origin: str | None = None
    commit: str | None = None
    recipe_path: str = "recipe.yaml"
    output: str
    variant: Mapping[str, Any]
    build_platform: str
    target_platform: str
    sources: tuple[Source, ...] = ()
    locks: Locks = {}
    #: Kernel, libc, cpu and tools of the build machine.
    machine: Mapping[str, str] = {}
    #: sha256 of the log.
    log_digest: str | None = None


def publish_statement(subject: Subject, channel_url: str) -> bytes:
    """*This file was published to this channel* (CEP 27)."""
    # Without a trailing slash, as the CEP wants it.
    return _statement(subject, PUBLISH_PREDICATE, {"targetChannel": channel_url.rstrip("/")})


def build_statement(subject: Subject, facts: BuildFacts) -> bytes:
    """*This file was built so* (SLSA provenance v1)."""
    metadata = {
        "invocationId": facts.attempt_id,
        "startedOn": _instant(facts.started_at),
        "finishedOn": _instant(facts.finished_at),
    }
    run_details: dict[str, Any] = {
        "builder": {"id": facts.builder, "version": {"forgeyard": facts.builder_version}},
        "metadata": metadata,
    }
    if facts.log_digest:
        run_details["byproducts"] = [{"name": "log", "digest": {"sha256": facts.log_digest}}]
    definition = {
        "buildType": BUILD_TYPE,
        "externalParameters": {
            "feedstock": facts.feedstock,
            "recipe": facts.recipe_path,
            "output": facts.output,
            "variant": dict(facts.variant),
            "buildPlatform": facts.build_platform,
            "targetPlatform": facts.target_platform,
        },
        "internalParameters": {"build": facts.build_id, "machine": dict(facts.machine)},
        "resolvedDependencies": [
            _feedstock(facts),
            *map(_source, facts.sources),
            *_packages(facts.locks),
        ],
    }
    return _statement(
        subject, BUILD_PREDICATE, {"buildDefinition": definition, "runDetails": run_details}
    )


def check_publish_statement(statement: bytes, subject: Subject, channel_url: str) -> None:
    """Compare a (verified) statement with a file, as CEP 27 asks of who verifies.

    Raises BadStatement.
    """
    try:
        said = msgspec.json.decode(statement, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadStatement(f"Not a statement: {error}") from error
    expected = msgspec.json.decode(publish_statement(subject, channel_url), type=dict[str, Any])
    for field in ("_type", "predicateType", "subject"):
        if said.get(field) != expected[field]:
            raise BadStatement(f"The statement's {field} is {said.get(field)!r}")
    # The predicate may be left out; if it is there, the channel must be this one.
    predicate = said.get("predicate")
    if predicate and predicate != expected["predicate"]:
        raise BadStatement(f"The statement is for another channel: {predicate!r}")


def _statement(subject: Subject, kind: str, predicate: dict[str, Any]) -> bytes:
    ArtifactName.parse(subject.filename)
    if not _SHA256.fullmatch(subject.sha256):
        raise BadStatement(f"{subject.sha256!r} is not a sha256")
    return msgspec.json.encode(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": subject.filename, "digest": {"sha256": subject.sha256}}],
            "predicateType": kind,
            "predicate": predicate,
        },
        order="sorted",
    )


def _feedstock(facts: BuildFacts) -> dict[str, Any]:
    digest = {"sha256": facts.feedstock_digest}
    if facts.commit:
        digest["gitCommit"] = facts.commit
    entry: dict[str, Any] = {"name": f"feedstock:{facts.feedstock}", "digest": digest}
    if facts.origin:
        entry["uri"] = facts.origin
    return entry


def _source(source: Source) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": "source"}
    if source.git:
        entry["uri"] = f"git+{source.git}" + (f"@{source.rev}" if source.rev else "")
    elif source.urls:
        entry["uri"] = source.urls[0]
        if source.urls[1:]:
            entry["annotations"] = {"mirrors": list(source.urls[1:])}
    if source.sha256:
        entry["digest"] = {"sha256": source.sha256}
    return entry


def _packages(locks: Locks) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{environment}:{package.name}-{package.version}-{package.build}",
            "uri": package.url,
            "digest": {"sha256": package.sha256},
            "annotations": {"environment": environment, "subdir": package.subdir},
        }
        for environment in sorted(locks)
        for package in locks[environment]
    ]


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError("the instant has no time zone")
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
