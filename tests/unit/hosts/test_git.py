"""Clones of repositories made here; every one of them might be hostile."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from forgeyard.errors import BadInput
from forgeyard.hosts.git import (
    GitUnreachable,
    UnknownRevision,
    clone,
    is_git_address,
    remote_commit,
)


class Repository:
    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.first = self.commit("recipe.yaml", "one")

    @property
    def url(self) -> str:
        return f"file://{self.path}"

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.path,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, name: str, text: str) -> str:
        (self.path / name).write_text(text)
        self.git("add", name)
        self.git("commit", "--quiet", "-m", text)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "origin")


class TestClone:
    def test_the_default_branch(self, repository: Repository, tmp_path: Path) -> None:
        second = repository.commit("recipe.yaml", "two")
        assert clone(repository.url, tmp_path / "tree") == second
        assert (tmp_path / "tree" / "recipe.yaml").read_text() == "two"

    @pytest.mark.parametrize("length", [40, 10])
    def test_a_commit(self, repository: Repository, tmp_path: Path, length: int) -> None:
        repository.commit("recipe.yaml", "two")
        assert clone(repository.url, tmp_path / "t", repository.first[:length]) == repository.first
        assert (tmp_path / "t" / "recipe.yaml").read_text() == "one"

    def test_a_branch_and_a_tag(self, repository: Repository, tmp_path: Path) -> None:
        repository.git("tag", "-m", "annotated", "v1")
        repository.git("branch", "old")
        second = repository.commit("recipe.yaml", "two")
        assert clone(repository.url, tmp_path / "a", "v1") == repository.first
        assert clone(repository.url, tmp_path / "b", "old") == repository.first
        assert remote_commit(repository.url, "v1") == repository.first
        assert remote_commit(repository.url, "old") == repository.first
        assert remote_commit(repository.url) == second

    @pytest.mark.parametrize("rev", ["none", "deadbeef", "deadbeef" * 5])
    def test_an_unknown_revision(self, repository: Repository, tmp_path: Path, rev: str) -> None:
        with pytest.raises(UnknownRevision, match=rev):
            clone(repository.url, tmp_path / "tree", rev)
        with pytest.raises(UnknownRevision):
            remote_commit(repository.url, rev)

    def test_no_repository(self, tmp_path: Path) -> None:
        with pytest.raises(GitUnreachable):
            clone(f"file://{tmp_path}/none", tmp_path / "tree")

    @pytest.mark.parametrize("rev", ["--upload-pack=touch /tmp/x", "a:b", ""])
    def test_revisions_that_are_options(
        self, repository: Repository, tmp_path: Path, rev: str
    ) -> None:
        with pytest.raises(BadInput) as caught:
            clone(repository.url, tmp_path / "tree", rev)
        assert caught.value.code == "bad_git_revision"

    @pytest.mark.parametrize("url", ["--upload-pack=x", "ext::sh -c id", "/tmp", "zlib"])
    def test_addresses_that_are_none(self, tmp_path: Path, url: str) -> None:
        with pytest.raises(BadInput):
            clone(url, tmp_path / "tree")

    def test_a_host_that_does_not_answer(self, tmp_path: Path) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            port = silent.getsockname()[1]
            with pytest.raises(GitUnreachable) as caught:
                clone(f"git://127.0.0.1:{port}/x", tmp_path / "tree", timeout=1)
        assert caught.value.code == "git_timeout"

    def test_passwords_are_not_shown(self, tmp_path: Path) -> None:
        with pytest.raises(GitUnreachable) as caught:
            clone("http://ada:geheim@127.0.0.1:1/x", tmp_path / "tree")
        assert "geheim" not in str(caught.value)


class TestNothingOfTheRepositoryRuns:
    def test_hooks_of_the_machines_template(
        self, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hooks = tmp_path / "template" / "hooks"
        hooks.mkdir(parents=True)
        (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / "post-checkout").chmod(0o755)
        monkeypatch.setenv("GIT_TEMPLATE_DIR", str(hooks.parent))
        config = tmp_path / "config"
        config.write_text(
            f"[init]\n\ttemplateDir = {hooks.parent}\n[core]\n\thooksPath = {hooks}\n"
        )
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
        clone(repository.url, tmp_path / "tree")
        assert not (tmp_path / "ran").exists()

    def test_submodules_stay_empty(self, repository: Repository, tmp_path: Path) -> None:
        inner = Repository(tmp_path / "inner")
        repository.git(
            "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.url, "inner"
        )
        repository.git("commit", "--quiet", "-m", "submodule")
        clone(repository.url, tmp_path / "tree")
        assert list((tmp_path / "tree" / "inner").iterdir()) == []

    def test_another_repository_in_the_environment(
        self, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As it is when the yard is called from a git hook."""
        other = Repository(tmp_path / "other")
        monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
        monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
        assert clone(repository.url, tmp_path / "tree")
        assert (tmp_path / "tree" / ".git").is_dir()


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("https://example.org/zlib-feedstock.git", True),
        ("git@example.org:team/zlib-feedstock", True),
        ("ssh://git@example.org/x", True),
        ("file:///srv/zlib", True),
        ("/srv/zlib", False),
        ("./a@b:c", False),
        ("zlib", False),
        ("ext::sh -c id", False),
        (os.curdir, False),
    ],
)
def test_addresses(text: str, is_one: bool) -> None:
    assert is_git_address(text) == is_one
