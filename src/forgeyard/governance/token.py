"""Tokens as text: ``fy_ID_SECRET``; the yard keeps only the hash of the secret."""

from __future__ import annotations

import hashlib
import re

import msgspec

_FORM = re.compile(r"fy_([0-9a-z-]{4,40})_([0-9a-f]{32,64})")


class ParsedToken(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a token."""

    id: str
    secret: str


def format_token(token_id: str, secret: str) -> str:
    """The text that its holder keeps.  ``secret`` is random hex, 128 bits or more."""
    return f"fy_{token_id}_{secret}"


def parse_token(text: str) -> ParsedToken | None:
    """The parts, or None when it is no token of ours."""
    found = _FORM.fullmatch(text.strip())
    return ParsedToken(id=found[1], secret=found[2]) if found else None


def token_digest(secret: str) -> str:
    """What is stored.  Plain sha256 is enough for a random secret that nobody can guess."""
    return hashlib.sha256(secret.encode()).hexdigest()
