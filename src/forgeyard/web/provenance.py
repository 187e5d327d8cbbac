"""The signed statements of an artifact, and whether their signatures hold."""

from __future__ import annotations

from typing import Any

import msgspec

from forgeyard.actions.yard import Yard
from forgeyard.errors import ForgeyardError
from forgeyard.signing import dsse
from forgeyard.store.reading.artifacts import ArtifactDetail


class SignedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """An in-toto statement in a DSSE envelope, checked against the yard's key."""

    #: ``publish`` (CEP 27) or ``build`` (SLSA provenance).
    kind: str
    #: sha256 of the envelope.
    digest: str
    #: ``good``, ``bad`` or ``missing``.
    verdict: str
    #: Why, in words.
    reason: str
    key_ids: tuple[str, ...]
    #: The statement, when its signature holds.
    statement: dict[str, Any] | None
    #: The envelope as it is stored.
    envelope: dict[str, Any] | None


def statements_of(yard: Yard, artifact: ArtifactDetail) -> tuple[SignedStatement, ...]:
    """The statements that are kept of an artifact."""
    kept = (("publish", artifact.publish_attestation), ("build", artifact.build_provenance))
    return tuple(_checked(yard, kind, digest, artifact) for kind, digest in kept if digest)


def _checked(yard: Yard, kind: str, digest: str, artifact: ArtifactDetail) -> SignedStatement:
    def said(verdict: str, reason: str, **more: Any) -> SignedStatement:
        given = {"key_ids": (), "statement": None, "envelope": None} | more
        return SignedStatement(kind=kind, digest=digest, verdict=verdict, reason=reason, **given)

    try:
        raw = yard.objects.get(digest)
    except ForgeyardError as error:
        return said("missing", error.message)
    try:
        verified = dsse.verify(raw, [yard.signing_key.public])
        statement = msgspec.json.decode(verified.payload, type=dict[str, Any])
    except (ForgeyardError, msgspec.DecodeError) as error:
        return said("bad", str(error))
    named = {subject.get("digest", {}).get("sha256") for subject in statement.get("subject", ())}
    more = {
        "key_ids": verified.key_ids,
        "statement": statement,
        "envelope": msgspec.json.decode(raw, type=dict[str, Any]),
    }
    if artifact.sha256 not in named:
        return said("bad", "It is signed, but speaks of another file.", **more)
    return said("good", "Signed by this yard's key, and it names exactly this file.", **more)
