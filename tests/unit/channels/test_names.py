"""Names (CEP 26)."""

from __future__ import annotations

import pytest

from forgeyard.channels.names import (
    ArtifactName,
    BadName,
    check_build,
    check_channel_name,
    check_label,
    check_package_name,
    check_subdir,
    check_version,
)


class TestArtifactName:
    @pytest.mark.parametrize(
        ("filename", "parts"),
        [
            ("zlib-1.3.1-h123_0.conda", ("zlib", "1.3.1", "h123_0", ".conda")),
            ("python-dateutil-2.9-0.tar.bz2", ("python-dateutil", "2.9", "0", ".tar.bz2")),
            ("_libgcc_mutex-0.1-main.conda", ("_libgcc_mutex", "0.1", "main", ".conda")),
            ("a-1!2.0+local.1-py312_0.conda", ("a", "1!2.0+local.1", "py312_0", ".conda")),
        ],
    )
    def test_takes_a_file_name_apart(self, filename: str, parts: tuple[str, ...]) -> None:
        name = ArtifactName.parse(filename)
        assert (name.name, name.version, name.build, name.extension) == parts
        assert name.filename == filename

    @pytest.mark.parametrize(
        "filename",
        [
            "zlib-1.3.1-h123_0.zip",
            "zlib-1.3.1.conda",
            "zlib--h123_0.conda",
            "Zlib-1.3.1-0.conda",
            "../zlib-1.3.1-0.conda",
            "zlib-1.3.1-h/0.conda",
            "zlib-1.3.1-0.conda\n",
            "__glibc-2.17-0.conda",
            "a" * 65 + "-1-0.conda",
            "zlib-1..3-0.conda",
            "",
        ],
    )
    def test_refuses_what_is_no_package_file(self, filename: str) -> None:
        with pytest.raises(BadName):
            ArtifactName.parse(filename)


@pytest.mark.parametrize("name", ["a", "7zip", "_x", "r-base", "lib.so", "python_abi", "c-"])
def test_package_names(name: str) -> None:
    assert check_package_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", ".a", "a--b", "a-_b", "ä", "a b", "A", "a\n", "__a"])
def test_no_package_names(name: str) -> None:
    with pytest.raises(BadName):
        check_package_name(name)


@pytest.mark.parametrize("version", ["1.0-2", "1.0 ", "1.0RC1", "", "1*", "1.", "9" * 65])
def test_no_versions(version: str) -> None:
    with pytest.raises(BadName):
        check_version(version)


def test_no_build_strings() -> None:
    for build in ("", "a-b", "a b", "x" * 65):
        with pytest.raises(BadName):
            check_build(build)


def test_subdirs_are_those_that_clients_know() -> None:
    assert check_subdir("linux-64") == "linux-64"
    for subdir in ("linux64", "Linux-64", "plan9-64", "../noarch"):
        with pytest.raises(BadName):
            check_subdir(subdir)


def test_channels() -> None:
    assert check_channel_name("my_lab.2") == "my_lab.2"
    for name in ("", "Lab", ".lab", "a/b", "noarch", "x" * 129):
        with pytest.raises(BadName):
            check_channel_name(name)


def test_labels() -> None:
    assert check_label("rc/numpy_2") == "rc/numpy_2"
    for label in ("", "0rc", "a//b", "a/", "a/../b", "x/linux-64", "nolabel", "a b", "x" * 129):
        with pytest.raises(BadName):
            check_label(label)
