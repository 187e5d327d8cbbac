"""Statements about an artifact: CEP 27 and SLSA."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from forgeyard.builds.job import LockedPackage, Source
from forgeyard.channels.names import BadName
from forgeyard.provenance.statement import (
    BadStatement,
    BuildFacts,
    Subject,
    build_statement,
    check_publish_statement,
    publish_statement,
)
from forgeyard.signing import SigningKey, sign, verify

ZLIB = Subject(filename="zlib-1.3.1-h0_0.conda", sha256="01" * 32)
CHANNEL = "https://yard.example/channels/lab"
FACTS = BuildFacts(
    builder="https://yard.example",
    builder_version="0.1.0",
    build_id="b-1",
    attempt_id="a-2",
    started_at=datetime(2026, 11, 22, 18, 0, tzinfo=UTC),
    finished_at=datetime(2026, 11, 22, 18, 5, tzinfo=UTC),
    feedstock="zlib",
    feedstock_digest="02" * 32,
    origin="https://example.org/zlib-feedstock",
    commit="0a" * 20,
    output="zlib",
    variant={"target_platform": "linux-64", "c_compiler": "gcc"},
    build_platform="linux-64",
    target_platform="linux-64",
    sources=(
        Source(urls=("https://example.org/zlib.tar.gz", "https://mirror/z"), sha256="03" * 32),
        Source(git="https://example.org/x.git", rev="v1"),
    ),
    locks={
        "build": (
            LockedPackage(
                name="gcc",
                version="14",
                build="0",
                subdir="linux-64",
                url="https://yard.example/channels/lab/linux-64/gcc-14-0.conda",
                sha256="04" * 32,
            ),
        )
    },
    machine={"kernel": "6.1"},
    log_digest="05" * 32,
)


class TestPublish:
    def test_says_what_the_cep_asks_for(self) -> None:
        """The example of CEP 27, with our names in it."""
        assert json.loads(publish_statement(ZLIB, CHANNEL + "/")) == {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "zlib-1.3.1-h0_0.conda", "digest": {"sha256": "01" * 32}}],
            "predicateType": "https://schemas.conda.org/attestations-publish-1.schema.json",
            "predicate": {"targetChannel": CHANNEL},
        }

    def test_is_the_same_bytes_for_the_same_facts(self) -> None:
        assert publish_statement(ZLIB, CHANNEL) == publish_statement(ZLIB, CHANNEL)

    def test_refuses_what_no_client_would_accept(self) -> None:
        with pytest.raises(BadName):
            publish_statement(msgspec.structs.replace(ZLIB, filename="zlib.conda"), CHANNEL)
        with pytest.raises(BadStatement):
            publish_statement(msgspec.structs.replace(ZLIB, sha256="01"), CHANNEL)

    def test_verification(self) -> None:
        statement = publish_statement(ZLIB, CHANNEL)
        check_publish_statement(statement, ZLIB, CHANNEL + "/")
        without = json.loads(statement)
        del without["predicate"]
        check_publish_statement(json.dumps(without).encode(), ZLIB, CHANNEL)

    @pytest.mark.parametrize(
        ("subject", "channel"),
        [
            (msgspec.structs.replace(ZLIB, sha256="ff" * 32), CHANNEL),
            (msgspec.structs.replace(ZLIB, filename="zlib-1.3.2-h0_0.conda"), CHANNEL),
            (ZLIB, "https://elsewhere/lab"),
        ],
    )
    def test_another_file_or_channel(self, subject: Subject, channel: str) -> None:
        with pytest.raises(BadStatement):
            check_publish_statement(publish_statement(ZLIB, CHANNEL), subject, channel)

    def test_another_kind_of_statement(self) -> None:
        for data in (build_statement(ZLIB, FACTS), b"[]", b"{"):
            with pytest.raises(BadStatement):
                check_publish_statement(data, ZLIB, CHANNEL)


class TestBuild:
    @pytest.fixture
    def predicate(self) -> dict[str, Any]:
        statement: dict[str, Any] = json.loads(build_statement(ZLIB, FACTS))
        assert statement["predicateType"] == "https://slsa.dev/provenance/v1"
        predicate: dict[str, Any] = statement["predicate"]
        return predicate

    def test_names_everything_by_digest(self, predicate: dict[str, Any]) -> None:
        dependencies = predicate["buildDefinition"]["resolvedDependencies"]
        assert [(entry["name"], entry.get("digest", {})) for entry in dependencies] == [
            ("feedstock:zlib", {"sha256": "02" * 32, "gitCommit": "0a" * 20}),
            ("source", {"sha256": "03" * 32}),
            ("source", {}),
            ("build:gcc-14-0", {"sha256": "04" * 32}),
        ]
        assert dependencies[2]["uri"] == "git+https://example.org/x.git@v1"

    def test_names_the_variant(self, predicate: dict[str, Any]) -> None:
        assert predicate["buildDefinition"]["externalParameters"]["variant"] == FACTS.variant

    def test_says_who_and_when(self, predicate: dict[str, Any]) -> None:
        assert predicate["runDetails"] == {
            "builder": {"id": "https://yard.example", "version": {"forgeyard": "0.1.0"}},
            "metadata": {
                "invocationId": "a-2",
                "startedOn": "2026-11-22T18:00:00Z",
                "finishedOn": "2026-11-22T18:05:00Z",
            },
            "byproducts": [{"name": "log", "digest": {"sha256": "05" * 32}}],
        }


def test_signed_and_verified(tmp_path: Path) -> None:
    key = SigningKey.create(tmp_path / "yard.pem")
    envelope = sign(publish_statement(ZLIB, CHANNEL), key)
    check_publish_statement(verify(envelope, [key.public]).payload, ZLIB, CHANNEL)
