"""Tokens as text."""

from __future__ import annotations

import hashlib

import pytest

from forgeyard.governance.token import Token, format_token, parse_token, token_digest

SECRET = "0123456789abcdef" * 3


def test_there_and_back() -> None:
    text = format_token("a-01h8x", SECRET)
    assert text == f"fy_a-01h8x_{SECRET}"
    assert parse_token(f" {text}\n") == Token(id="a-01h8x", secret=SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fy_",
        SECRET,
        f"gh_x_{SECRET}",
        f"fy_x_{SECRET}_",
        f"fy_X_{SECRET}",
        f"fy_x_{SECRET[:31]}",
        f"fy_x_{SECRET}\nfy",
        f"fy_x/../y_{SECRET}",
    ],
)
def test_other_text_is_no_token(text: str) -> None:
    assert parse_token(text) is None


def test_no_token_is_made_that_could_not_be_read() -> None:
    for token_id, secret in (("a_b", SECRET), ("", SECRET), ("x", "short"), ("x", "ä" * 40)):
        with pytest.raises(ValueError, match="form"):
            format_token(token_id, secret)


def test_only_the_digest_of_a_secret_is_kept() -> None:
    assert token_digest(SECRET) == hashlib.sha256(SECRET.encode()).hexdigest()
    assert SECRET not in repr(parse_token(format_token("x", SECRET)))
