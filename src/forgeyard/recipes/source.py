"""What a recipe's ``source`` section names (CEP 14)."""

from __future__ import annotations

import msgspec


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a recipe's ``source`` section names.

    ``urls`` may use ``http(s)``, ``file``, ``pypi://NAME/FILE`` or ``debian://SOURCE/FILE``;
    the first place whose bytes have the right sha256 serves.
    """

    urls: tuple[str, ...] = ()
    sha256: str | None = None
    git: str | None = None
    #: Tag, branch or commit of ``git``.
    rev: str | None = None
