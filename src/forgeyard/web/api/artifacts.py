"""Artifacts: what they are, what they hold, and how they were made."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter

from forgeyard.actions.yard import Yard
from forgeyard.builds.job import LockedPackage
from forgeyard.channels.package_file import PathEntry
from forgeyard.errors import NotFound
from forgeyard.store.reading import artifacts as reading
from forgeyard.web.authentication import Reader, YardHere
from forgeyard.web.provenance import SignedStatement, statements_of
from forgeyard.web.wire import WIRE

router = APIRouter(prefix="/artifacts", tags=["artifacts"], dependencies=[Reader])


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """How an artifact came to be, and who signs for it."""

    origin: reading.Origin | None
    statements: tuple[SignedStatement, ...]


@router.get("/{sha256}")
def get_artifact(yard: YardHere, sha256: str) -> Annotated[reading.ArtifactDetail, WIRE]:
    """One package file."""
    return artifact_of(yard, sha256)


@router.get("/{sha256}/files")
def get_files(yard: YardHere, sha256: str) -> Annotated[list[PathEntry], WIRE]:
    """The files that the package holds."""
    return files_of(yard, artifact_of(yard, sha256))


@router.get("/{sha256}/provenance")
def get_provenance(yard: YardHere, sha256: str) -> Annotated[Provenance, WIRE]:
    """Inputs, locks, machines, and the signed statements with the verdict on each."""
    artifact = artifact_of(yard, sha256)
    with yard.store.read() as connection:
        origin = reading.origin(connection, artifact.build_id)
    return Provenance(origin=origin, statements=statements_of(yard, artifact))


@router.get("/{sha256}/lock")
def get_lock(yard: YardHere, sha256: str) -> Annotated[dict[str, tuple[LockedPackage, ...]], WIRE]:
    """What was installed when it was built and tested: environment → packages."""
    artifact = artifact_of(yard, sha256)
    with yard.store.read() as connection:
        origin = reading.origin(connection, artifact.build_id)
    locks: dict[str, Any] = {}
    for stage in origin.stages if origin else ():
        locks |= stage.locks
    return locks


def artifact_of(yard: Yard, sha256: str) -> reading.ArtifactDetail:
    """The artifact.  Raises NotFound."""
    with yard.store.read() as connection:
        found = reading.detail(connection, sha256)
    if found is None:
        raise NotFound(f"there is no artifact {sha256}", code="artifact_unknown")
    return found


def files_of(yard: Yard, artifact: reading.ArtifactDetail) -> list[PathEntry]:
    """The files that a package holds."""
    return msgspec.json.decode(yard.objects.get(artifact.paths_digest), type=list[PathEntry])
