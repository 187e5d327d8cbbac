"""Whatever bytes arrive, reading them ends with an answer or a typed error."""

from __future__ import annotations

import bz2
import contextlib
import io
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from forgeyard.channels.names import ArtifactName
from forgeyard.channels.package_file import read_package
from forgeyard.channels.shards import (
    decode_shard,
    decode_shard_index,
    encode_shard,
    encode_shard_index,
)
from forgeyard.errors import BadInput, ForgeyardError
from forgeyard.governance.token import parse_token
from forgeyard.hosts.directories import unpack_archive
from package_factory import FILES, conda, info_files, tar

CONDA = conda()
OLD = bz2.compress(tar(info_files() | FILES))
FOLDER = tar(FILES)

changes = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
)


def changed(data: bytes, changes: list[tuple[float, int]]) -> bytes:
    mutable = bytearray(data)
    for place, value in changes:
        mutable[int(place * len(mutable))] = value
    return bytes(mutable)


@given(changes)
@settings(max_examples=300, deadline=None)
def test_damaged_packages(changes: list[tuple[float, int]]) -> None:
    for data, name in ((CONDA, "hello-1.0-h0_0.conda"), (OLD, "hello-1.0-h0_0.tar.bz2")):
        try:
            contents = read_package(io.BytesIO(changed(data, changes)), name, check_payload=True)
        except BadInput as error:
            assert error.where is not None
        else:
            assert [path.path for path in contents.paths] == list(FILES)


@given(changes)
@settings(max_examples=200, deadline=None)
def test_damaged_tar_inside_a_package(changes: list[tuple[float, int]]) -> None:
    data = conda(changed(tar(info_files()), changes), changed(tar(FILES), changes))
    try:
        read_package(io.BytesIO(data), "hello-1.0-h0_0.conda", check_payload=True)
    except BadInput as error:
        assert error.where is not None


@given(changes)
@settings(max_examples=200, deadline=None)
def test_damaged_archives_stay_in_their_folder(changes: list[tuple[float, int]]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "in", "target")
        with contextlib.suppress(ForgeyardError):
            unpack_archive(zstandard.compress(changed(FOLDER, changes)), target)
        assert list(Path(scratch).iterdir()) == [Path(scratch, "in")]
        assert list(Path(scratch, "in").iterdir()) == [target]


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(zstandard.compress)))
def test_junk_instead_of_shards(data: bytes) -> None:
    for decode in (decode_shard, decode_shard_index):
        with contextlib.suppress(BadInput):
            decode(data)


@given(changes)
@settings(max_examples=300, deadline=None)
def test_damaged_shards(changes: list[tuple[float, int]]) -> None:
    shard = zstandard.decompress(encode_shard({"a-1-0.conda": {"sha256": "ab" * 32}}).bytes)
    index = zstandard.decompress(
        encode_shard_index("noarch", {"a": "12" * 32}, datetime(2026, 1, 1, tzinfo=UTC))
    )
    for data, decode in ((shard, decode_shard), (index, decode_shard_index)):
        with contextlib.suppress(BadInput):
            decode(zstandard.compress(changed(data, changes)))  # type: ignore[operator]


@given(st.text(max_size=80))
def test_any_text_as_a_name_or_a_token(text: str) -> None:
    parse_token(text)
    for filename in (text, text + ".conda", f"{text}-1-0.conda"):
        try:
            name = ArtifactName.parse(filename)
        except BadInput:
            continue
        assert name.filename == filename
        assert "/" not in filename
