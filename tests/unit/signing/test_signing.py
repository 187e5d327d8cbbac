"""Keys and envelopes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from forgeyard.errors import Conflict, NotFound
from forgeyard.signing import BadSignature, PublicKey, SigningKey, sign, verify
from forgeyard.signing.dsse import IN_TOTO, _pae
from forgeyard.signing.key import BadKey


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey.create(tmp_path / "keys" / "yard.pem")


class TestKey:
    def test_only_the_yards_user_can_read_it(self, key: SigningKey, tmp_path: Path) -> None:
        path = tmp_path / "keys" / "yard.pem"
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o640)
        with pytest.raises(BadKey, match="Others"):
            SigningKey.load(tmp_path / "keys" / "yard.pem")

    def test_is_the_same_when_loaded(self, key: SigningKey, tmp_path: Path) -> None:
        again = SigningKey.load_or_create(tmp_path / "keys" / "yard.pem")
        assert again.key_id == key.key_id
        assert key.public.verifies(again.sign(b"x"), b"x")

    def test_is_never_replaced(self, key: SigningKey, tmp_path: Path) -> None:
        with pytest.raises(Conflict):
            SigningKey.create(tmp_path / "keys" / "yard.pem")
        assert SigningKey.load(tmp_path / "keys" / "yard.pem").key_id == key.key_id

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(NotFound):
            SigningKey.load(tmp_path / "yard.pem")
        assert SigningKey.load_or_create(tmp_path / "yard.pem").key_id

    def test_junk(self, tmp_path: Path) -> None:
        (tmp_path / "yard.pem").write_bytes(b"junk")
        (tmp_path / "yard.pem").chmod(0o600)
        with pytest.raises(BadKey):
            SigningKey.load_or_create(tmp_path / "yard.pem")
        with pytest.raises(BadKey):
            PublicKey.from_pem(b"junk")

    def test_public_half_travels_as_pem(self, key: SigningKey) -> None:
        public = PublicKey.from_pem(key.public.pem)
        assert public.key_id == key.key_id
        assert public.verifies(key.sign(b"x"), b"x")
        assert not public.verifies(key.sign(b"x"), b"y")


class TestEnvelope:
    def test_pre_authentication_encoding(self) -> None:
        """The example of the DSSE specification."""
        assert (
            _pae("http://example.com/HelloWorld", b"hello world")
            == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        )

    def test_there_and_back(self, key: SigningKey) -> None:
        envelope = sign(b'{"a": 1}', key)
        assert json.loads(envelope).keys() == {"payload", "payloadType", "signatures"}
        verified = verify(envelope, [key.public])
        assert (verified.payload, verified.key_ids) == (b'{"a": 1}', (key.key_id,))

    def test_another_key(self, key: SigningKey, tmp_path: Path) -> None:
        other = SigningKey.create(tmp_path / "other.pem").public
        with pytest.raises(BadSignature):
            verify(sign(b"x", key), [other])
        assert verify(sign(b"x", key), [other, key.public]).key_ids == (key.key_id,)
        with pytest.raises(BadSignature):
            verify(sign(b"x", key), [])

    def test_the_key_id_in_the_envelope_is_not_trusted(
        self, key: SigningKey, tmp_path: Path
    ) -> None:
        other = SigningKey.create(tmp_path / "other.pem")
        envelope = json.loads(sign(b"x", other))
        envelope["signatures"][0]["keyid"] = key.key_id
        with pytest.raises(BadSignature):
            verify(json.dumps(envelope).encode(), [key.public])

    def test_another_payload(self, key: SigningKey) -> None:
        envelope = json.loads(sign(b"good", key))
        envelope["payload"] = base64.b64encode(b"evil").decode()
        with pytest.raises(BadSignature):
            verify(json.dumps(envelope).encode(), [key.public])

    def test_another_type(self, key: SigningKey) -> None:
        envelope = sign(b"x", key, "text/plain")
        with pytest.raises(BadSignature):
            verify(envelope, [key.public])
        relabelled = envelope.replace(b"text/plain", IN_TOTO.encode())
        with pytest.raises(BadSignature):
            verify(relabelled, [key.public])

    @pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"payload":"%","payloadType":"a",'])
    def test_junk(self, data: bytes, key: SigningKey) -> None:
        with pytest.raises(BadSignature):
            verify(data, [key.public])
