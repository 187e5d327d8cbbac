"""What went wrong, as every answer of the yard says it (RFC 9457)."""

from __future__ import annotations

import msgspec

from forgeyard.errors import Where


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong (RFC 9457), with what to do about it."""

    type: str
    title: str
    status: int
    #: Stable; programs may test for it.
    code: str
    #: What is wrong, in a sentence.
    detail: str
    #: What to do about it.
    hint: str | None = None
    where: Where | None = None
    #: Bytes of the log that the yard has, when a piece came at a wrong offset.
    size: int | None = None
