"""Sign what is known of an artifact: that it is published here, and how it was built."""

from __future__ import annotations

from typing import Any

from forgeyard import __version__
from forgeyard.actions.yard import Yard
from forgeyard.builds.outcome import Stage
from forgeyard.errors import NotFound
from forgeyard.provenance.statement import (
    BuildFacts,
    Subject,
    build_statement,
    publish_statement,
)
from forgeyard.signing.dsse import sign
from forgeyard.store import attempts, builds, feedstocks


def attest(yard: Yard, artifact: Any, build_id: str) -> dict[str, str]:
    """Digests of the signed statements, by the columns of ``artifacts`` that hold them.

    CEP 27 publish attestation and SLSA v1 build provenance, each in a DSSE envelope.
    """
    subject = Subject(filename=artifact.filename, sha256=artifact.sha256)
    address = f"{public_url(yard)}/channels/{yard.settings.yard.channel}"
    statements = {
        "publish_attestation": publish_statement(subject, address),
        "build_provenance": build_statement(subject, _facts(yard, build_id)),
    }
    return {
        column: yard.objects.put_bytes(sign(statement, yard.signing_key))
        for column, statement in statements.items()
    }


def public_url(yard: Yard) -> str:
    """The address that people and clients use."""
    server = yard.settings.server
    return (server.public_url or f"http://{server.host}:{server.port}").rstrip("/")


def _facts(yard: Yard, build_id: str) -> BuildFacts:
    with yard.store.read() as connection:
        build = builds.get(connection, build_id)
        tried = [a for a in attempts.of_build(connection, build_id) if a.result is not None]
        feedstock = feedstocks.any_by_name(connection, build.feedstock_name) if build else None
    attempt = next((a for a in reversed(tried) if a.stage == Stage.BUILD), None)
    if build is None or attempt is None or feedstock is None:
        raise NotFound(f"nothing is known of how {build_id} was built", code="build_unknown")
    return BuildFacts(
        builder=public_url(yard),
        builder_version=__version__,
        build_id=build_id,
        attempt_id=attempt.id,
        started_at=attempt.started_at or attempt.created_at,
        finished_at=attempt.finished_at,
        feedstock=build.feedstock_name,
        output=build.name,
        feedstock_digest=build.feedstock_digest,
        recipe_path=build.recipe_path,
        origin=feedstock.origin,
        commit=build.feedstock_commit,
        build_platform=build.build_platform,
        target_platform=build.target_platform,
        variant=build.used_variant,
        sources=build.sources,
        locks=attempt.result.locks,
        machine=attempt.result.machine,
        log_digest=attempt.log_digest,
    )
