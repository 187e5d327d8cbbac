"""Signatures of the yard (ed25519, DSSE)."""

from forgeyard.signing.dsse import BadSignature, Verified, sign, verify
from forgeyard.signing.key import PublicKey, SigningKey

__all__ = ["BadSignature", "PublicKey", "SigningKey", "Verified", "sign", "verify"]
