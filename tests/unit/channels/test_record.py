"""Records (CEP 36): what is kept, and what is refused before it can break an index."""

from __future__ import annotations

import json
from typing import Any

import pytest

from forgeyard.channels.names import BadName
from forgeyard.channels.record import (
    BadRecord,
    FilenameMismatch,
    Record,
    SubdirMismatch,
    normal_run_exports,
    read_record,
)
from forgeyard.errors import BadInput

INDEX = {
    "name": "hello",
    "version": "1.0",
    "build": "h0_0",
    "build_number": 0,
    "subdir": "linux-64",
    "depends": ["zlib >=1.3,<2.0a0"],
    "timestamp": 1_700_000_000_000,
}


def record(index: dict[str, Any] | None = None, **given: Any) -> Record:
    arguments: dict[str, Any] = {
        "filename": "hello-1.0-h0_0.conda",
        "subdir": "linux-64",
        "size": 1234,
        "sha256": "ab" * 32,
        "md5": "cd" * 16,
        "run_exports": {"weak": ["hello >=1.0"]},
        "indexed_timestamp": 1_800_000_000_000,
    }
    return read_record(json.dumps(INDEX | (index or {})).encode(), **(arguments | given))


def test_entry_is_the_metadata_and_what_only_the_yard_knows() -> None:
    assert record({"license": "MIT"}).repodata_entry() == INDEX | {
        "license": "MIT",
        "size": 1234,
        "sha256": "ab" * 32,
        "md5": "cd" * 16,
        "indexed_timestamp": 1_800_000_000_000,
        "run_exports": {"weak": ["hello >=1.0"]},
    }


def test_keys_that_do_not_belong_into_an_index_stay_in_the_package() -> None:
    assert "preferred_env" not in record({"preferred_env": "x"}).repodata_entry()


def test_depends_is_there_even_when_empty() -> None:
    assert record({"depends": []}).repodata_entry()["depends"] == []


def test_unknown_run_exports_are_not_stated_and_empty_ones_are() -> None:
    assert "run_exports" not in record(run_exports=None).repodata_entry()
    assert record(run_exports={}).repodata_entry()["run_exports"] == {}


def test_noarch() -> None:
    entry = record({"subdir": "noarch", "noarch": "python"}, subdir="noarch").repodata_entry()
    assert (entry["subdir"], entry["noarch"]) == ("noarch", "python")


@pytest.mark.parametrize(
    ("index", "given", "error"),
    [
        ({"subdir": "osx-64"}, {}, SubdirMismatch),
        ({"noarch": "generic", "subdir": None}, {}, SubdirMismatch),
        ({"name": "hallo"}, {}, FilenameMismatch),
        ({"version": "1.1"}, {}, FilenameMismatch),
        ({"build": "h0_1"}, {}, FilenameMismatch),
        ({}, {"subdir": "linux64"}, BadName),
        ({}, {"filename": "hello.conda"}, BadName),
        ({"depends": "zlib"}, {}, BadRecord),
        ({"depends": ["zlib [["]}, {}, BadRecord),
        ({"constrains": [None]}, {}, BadRecord),
        ({"build_number": "0"}, {}, BadRecord),
        ({"build_number": -1}, {}, BadRecord),
        ({"timestamp": 1_800_000_000_001}, {}, BadRecord),
        ({}, {"sha256": "AB" * 32}, BadRecord),
        ({}, {"md5": "xx"}, BadRecord),
        ({}, {"size": 0}, BadRecord),
        ({}, {"run_exports": {"weak": "zlib"}}, BadRecord),
    ],
)
def test_refusals(index: dict[str, Any], given: dict[str, Any], error: type[BadInput]) -> None:
    with pytest.raises(error):
        record(index, **given)


def test_a_refusal_names_file_and_field() -> None:
    with pytest.raises(BadRecord) as caught:
        record({"depends": ["zlib", "a [["]})
    assert str(caught.value.where) == "hello-1.0-h0_0.conda:info/index.json (depends.1)"


def test_broken_json() -> None:
    with pytest.raises(BadRecord):
        read_record(
            b"{",
            filename="hello-1.0-h0_0.conda",
            subdir="linux-64",
            size=1,
            sha256="ab" * 32,
            md5="cd" * 16,
            run_exports=None,
            indexed_timestamp=1,
        )


def test_run_exports_have_one_form() -> None:
    assert normal_run_exports(["b", "a"]) == {"weak": ["a", "b"]}
    assert normal_run_exports({"strong": ["x"], "weak": [], "schema_version": 2}) == {
        "strong": ["x"]
    }
    with pytest.raises(BadRecord):
        normal_run_exports("zlib")
