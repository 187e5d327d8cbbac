"""The yard's keys: ed25519 (RFC 8032), in PEM files that only the yard's user can read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from forgeyard.errors import BadInput, Conflict, NotFound, Where


class BadKey(BadInput):
    """A file does not hold a usable key."""

    code = "bad_key"


class PublicKey:
    """What others verify with."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    @classmethod
    def from_pem(cls, pem: bytes) -> PublicKey:
        """Raises BadKey."""
        try:
            key = load_pem_public_key(pem)
        except ValueError as error:
            raise BadKey(f"Not a public key: {error}") from error
        if not isinstance(key, Ed25519PublicKey):
            raise BadKey("The public key is not an ed25519 key")
        return cls(key)

    @property
    def pem(self) -> bytes:
        """To publish."""
        return self._key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def key_id(self) -> str:
        """sha256 (hex) of the key's DER form."""
        der = self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(der).hexdigest()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether this key's owner signed exactly this message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """What the yard signs with."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def create(cls, path: Path) -> SigningKey:
        """Make the key's file.  Raises Conflict if it exists: keys are never replaced."""
        key = cls(Ed25519PrivateKey.generate())
        pem = key._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            # Never readable by others, not even for a moment.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise Conflict(
                f"{path} exists already",
                hint="Keep it: old statements are verified with it. Move it away for a new one.",
            ) from None
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(descriptor)
        return key

    @classmethod
    def load(cls, path: Path) -> SigningKey:
        """Read a key's file.  Raises NotFound, or BadKey if others can read it too."""
        where = Where(file=str(path))
        try:
            mode, pem = path.stat().st_mode, path.read_bytes()
        except FileNotFoundError:
            raise NotFound("There is no signing key", where=where) from None
        if mode & 0o077:
            raise BadKey(
                "Others than the yard's user can read the signing key",
                hint=f"chmod 600 {path}",
                where=where,
            )
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise BadKey(f"Not a private key: {error}", where=where) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise BadKey("The signing key is not an ed25519 key", where=where)
        return cls(key)

    @classmethod
    def load_or_create(cls, path: Path) -> SigningKey:
        """The key in that file, made on first use."""
        try:
            return cls.load(path)
        except NotFound:
            return cls.create(path)

    @property
    def public(self) -> PublicKey:
        """The public half."""
        return PublicKey(self._key.public_key())

    @property
    def key_id(self) -> str:
        """The public half's."""
        return self.public.key_id

    def sign(self, message: bytes) -> bytes:
        """The signature."""
        return self._key.sign(message)
