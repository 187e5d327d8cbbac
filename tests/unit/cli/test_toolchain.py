from __future__ import annotations

from ruamel.yaml import YAML

from forgeyard.cli.toolchain import Toolchain, detect


def test_the_pinning_holds_the_facts_as_text() -> None:
    toolchain = Toolchain(
        platform="linux-64",
        conda_triplet="x86_64-conda-linux-gnu",
        triplet="x86_64-linux-gnu",
        gcc_version="12.2.0",
        gxx_version="12.2.0",
        glibc_version="2.36",
    )
    assert toolchain.lacking == []
    assert YAML(typ="safe").load(toolchain.pinning()) == {
        "external_platform": ["linux-64"],
        "external_conda_triplet": ["x86_64-conda-linux-gnu"],
        "external_triplet": ["x86_64-linux-gnu"],
        "external_gcc_version": ["12.2.0"],
        "external_glibc_version": ["2.36"],
        "c_compiler_version": ["12"],
        "cxx_compiler_version": ["12"],
        "c_stdlib_version": ["2.36"],
    }


def test_what_is_not_there_is_left_out_and_said() -> None:
    bare = Toolchain(
        platform="linux-64",
        conda_triplet="x86_64-conda-linux-gnu",
        triplet=None,
        gcc_version=None,
        gxx_version=None,
        glibc_version="2.36",
    )
    assert bare.lacking == ["gcc", "g++"]
    assert "c_compiler_version" not in YAML(typ="safe").load(bare.pinning())


def test_this_machine() -> None:
    found = detect()
    assert found.platform.startswith("linux-")
    assert found.glibc_version is not None
