"""Signed envelopes: DSSE, the Dead Simple Signing Envelope, protocol version 1.

What is signed is the pre-authentication encoding (PAE) of the payload and its type, so
that a payload can never be taken for one of another type.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

import msgspec

from forgeyard.errors import BadInput
from forgeyard.signing.key import PublicKey, SigningKey

#: Payload type of in-toto statements.
IN_TOTO = "application/vnd.in-toto+json"


class BadSignature(BadInput):
    """The envelope is not signed by any of the trusted keys."""

    code = "bad_signature"


class _Signature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str = ""


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: tuple[_Signature, ...]


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What a verified envelope holds."""

    payload: bytes
    payload_type: str
    #: Trusted keys that signed it.
    key_ids: tuple[str, ...]


def sign(payload: bytes, key: SigningKey, payload_type: str = IN_TOTO) -> bytes:
    """The envelope as JSON."""
    signature = key.sign(_pae(payload_type, payload))
    return msgspec.json.encode(
        _Envelope(
            payload=base64.b64encode(payload).decode(),
            payload_type=payload_type,
            signatures=(_Signature(sig=base64.b64encode(signature).decode(), keyid=key.key_id),),
        )
    )


def verify(envelope: bytes, keys: Iterable[PublicKey], payload_type: str = IN_TOTO) -> Verified:
    """The payload, if one of the keys signed it as this type.  Raises BadSignature.

    The envelope's key ids are hints and not trusted: every key is tried.
    """
    try:
        opened = msgspec.json.decode(envelope, type=_Envelope)
        payload = _from_base64(opened.payload)
        signatures = [_from_base64(signature.sig) for signature in opened.signatures]
    except (msgspec.DecodeError, binascii.Error, ValueError) as error:
        raise BadSignature(f"Not a DSSE envelope: {error}", code="bad_envelope") from error
    if opened.payload_type != payload_type:
        raise BadSignature(f"The envelope holds {opened.payload_type!r}, not {payload_type!r}")
    message = _pae(payload_type, payload)
    good = tuple(
        key.key_id
        for key in keys
        if any(key.verifies(signature, message) for signature in signatures)
    )
    if not good:
        raise BadSignature("No trusted key has signed this")
    return Verified(payload=payload, payload_type=payload_type, key_ids=good)


def _pae(payload_type: str, payload: bytes) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _from_base64(text: str) -> bytes:
    # Both alphabets are allowed in an envelope.
    return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
