"""Local twins for sources: only URLs change, and templates go on working."""

from __future__ import annotations

import pytest

from forgeyard.runner import recipe_text


def test_only_the_url_changes() -> None:
    text = (
        "a: 1.10 # kept\nsource:\n"
        '  url: https://h/x-${{ version }}.tgz  # why\n  sha256: 00\nb: "x"\n'
    )
    assert recipe_text.with_local_sources(text) == (
        "a: 1.10 # kept\nsource:\n"
        '  url: ["file:///sources/https://h/x-${{ version }}.tgz", '
        '"https://h/x-${{ version }}.tgz"]  # why\n'
        '  sha256: 00\nb: "x"\n'
    )


def test_list_of_mirrors_keeps_what_follows() -> None:
    text = "source:\n  - url:\n      - https://a/x\n      - https://b/x # two\n    sha256: 00\n"
    changed = recipe_text.with_local_sources(text)
    assert changed.endswith(
        '["file:///sources/https://a/x", "file:///sources/https://b/x", '
        '"https://a/x", "https://b/x"] # two\n    sha256: 00\n'
    )


def test_conditions_outputs_and_git() -> None:
    text = (
        "source:\n  - if: linux\n    then:\n      git: https://h/r.git\n    else:\n"
        "      url: https://h/w.zip\n"
        "outputs:\n  - package: {name: a}\n    source: {url: https://h/o.tgz}\n"
        "  - if: win\n    then:\n      - package: {name: b}\n        source:\n          path: x\n"
    )
    changed = recipe_text.with_local_sources(text)
    assert 'git: "file:///sources/https://h/r.git"' in changed
    assert '["file:///sources/https://h/w.zip", "https://h/w.zip"]' in changed
    assert '{url: ["file:///sources/https://h/o.tgz", "https://h/o.tgz"]}' in changed
    assert "path: x" in changed


def test_url_elsewhere_is_left_alone() -> None:
    text = "about:\n  url: https://h/\ntests:\n  - script: {url: https://h/}\n"
    assert recipe_text.with_local_sources(text) == text


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://h/a/x.tgz?raw=1#frag", "https:/h/a/x.tgz"),
        ("https://h/a%20b/x.tgz", "https:/h/a b/x.tgz"),
        ("pypi://attrs/attrs-1.tar.gz", "pypi:/attrs/attrs-1.tar.gz"),
        ("file:///etc/x", "file:/etc/x"),
    ],
)
def test_path_of_a_twin(url: str, path: str) -> None:
    twin = f"file:///sources/{url}"
    assert recipe_text.is_local(twin)
    assert recipe_text.original(twin) == url
    assert recipe_text.local_path(twin) == path


def test_empty_recipe() -> None:
    with pytest.raises(ValueError, match="empty"):
        recipe_text.with_local_sources("# nothing\n")
