"""Locks, stored and as text (CEP 23)."""

from __future__ import annotations

import pytest

from forgeyard.builds.job import LockedPackage
from forgeyard.provenance.lock import (
    BadLock,
    Lock,
    decode_locks,
    encode_locks,
    environment_digest,
    parse_explicit,
)


def package(name: str, place: str = "http://yard/channels/lab") -> LockedPackage:
    return LockedPackage(
        name=name,
        version="1!1.0+x",
        build="h0_0",
        subdir="linux-64",
        url=f"{place}/linux-64/{name}-1!1.0+x-h0_0.conda",
        sha256="ab" * 32,
    )


A, B = package("a"), package("b")


def test_there_and_back() -> None:
    data = encode_locks({"host": [A, B], "build": [B]})
    assert data == encode_locks({"build": (B,), "host": (A, B)})
    assert decode_locks(data) == (
        Lock(environment="build", packages=(B,)),
        Lock(environment="host", packages=(A, B)),
    )
    with pytest.raises(BadLock):
        decode_locks(b"[1]")


def test_digest_is_of_what_is_installed() -> None:
    mirror = package("a", "https://mirror/x")
    assert environment_digest([A, B]) == environment_digest([B, mirror])
    assert environment_digest([A]) != environment_digest([B])
    assert Lock(environment="host", packages=(A,)).digest == environment_digest([A])


def test_text() -> None:
    text = Lock(environment="host", packages=(B, A)).explicit("linux-64")
    assert text == (
        "# host environment\n"
        "# platform: linux-64\n"
        "@EXPLICIT\n"
        f"{B.url}#{B.sha256}\n"
        f"{A.url}#{A.sha256}\n"
    )
    assert parse_explicit(text) == (B, A)


def test_text_of_others() -> None:
    """Empty lines and comments are ignored, the prefix sha256: may be there (CEP 23)."""
    text = f"\n  # words\n@EXPLICIT\n  https://h/c%2Bd/noarch/a-1-0.tar.bz2#sha256:{'cd' * 32}  \n"
    (found,) = parse_explicit(text)
    assert (found.name, found.subdir, found.sha256) == ("a", "noarch", "cd" * 32)


@pytest.mark.parametrize(
    "text",
    ["", A.url, f"@EXPLICIT\n{A.url}\n", f"@EXPLICIT\n{A.url}#{'ab' * 16}\n", "@EXPLICIT\nzlib >1"],
)
def test_text_that_locks_nothing(text: str) -> None:
    with pytest.raises(BadLock):
        parse_explicit(text)
