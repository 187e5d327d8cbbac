"""Tokens as text: ``fy_ID_SECRET``.

The id finds the row, the secret proves it; only the secret's digest is stored.  A plain
sha256 is enough, because secrets are random and long, not words that can be guessed.
Secrets come from the caller: nothing here is random.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

_TOKEN = re.compile(r"fy_([0-9a-z-]{1,64})_([0-9A-Za-z]{32,128})")
_ID = re.compile(r"[0-9a-z-]{1,64}")
_SECRET = re.compile(r"[0-9A-Za-z]{32,128}")


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a token's text."""

    id: str
    secret: str

    def __repr__(self) -> str:
        # So that no log and no traceback ever shows a secret.
        return f"Token(id={self.id!r}, secret=…)"


def format_token(token_id: str, secret: str) -> str:
    """The text that its owner keeps."""
    if not _ID.fullmatch(token_id) or not _SECRET.fullmatch(secret):
        raise ValueError("a token's id or secret has the wrong form")
    return f"fy_{token_id}_{secret}"


def parse_token(text: str) -> Token | None:
    """The parts, or None if it is not the text of a token."""
    match = _TOKEN.fullmatch(text.strip())
    return Token(id=match[1], secret=match[2]) if match else None


def token_digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
