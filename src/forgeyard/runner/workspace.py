"""Fills the attempt's workspace: the feedstock's files and the sources of its recipe."""

from __future__ import annotations

import hashlib
import posixpath
import shutil
import tarfile
from pathlib import Path

import zstandard

from forgeyard.builds.job import Job
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.errors import Where
from forgeyard.runner import recipe_text
from forgeyard.runner.failures import AttemptFailed
from forgeyard.runner.rendering import RenderedOutput
from forgeyard.runner.sources import git
from forgeyard.runner.sources.fetch import Fetcher, Mirror, Wanted, machine_providers
from forgeyard.runner.sources.interface import Say, SourceFailed
from forgeyard.runner.yard_client import YardClient


class Workspace:
    """The ``work`` directory of one attempt."""

    def __init__(self, path: Path, job: Job) -> None:
        self.path = path
        self._job = job

    @property
    def recipe(self) -> Path:
        """The recipe as its authors wrote it."""
        return self.path / "feedstock" / self._job.recipe_path

    def unpack_feedstock(self, yard: YardClient) -> None:
        """Fetch the feedstock's archive, check its digest, unpack it."""
        archive = self.path / "feedstock.tar.zst"
        yard.download_feedstock(archive)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        if digest != self._job.feedstock:
            raise _broken(f"the feedstock's archive has sha256 {digest}")
        with (
            archive.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file) as plain,
            tarfile.open(fileobj=plain, mode="r|") as tar,
        ):
            for member in tar:
                _unpack(tar, member, self.path / "feedstock")
        archive.unlink()
        if not self.recipe.is_file():
            raise _broken(f"the feedstock has no {self._job.recipe_path}")

    def localized_recipe(self) -> str:
        """The recipe's text with local sources."""
        try:
            return recipe_text.with_local_sources(self.recipe.read_text())
        except Exception as problem:  # every way in which YAML can be wrong
            mark = getattr(problem, "problem_mark", None)
            where = Where(file=self._job.recipe_path, line=mark.line + 1 if mark else None)
            raise AttemptFailed(
                Outcome.FAILED,
                Failure(code="recipe_invalid", message=str(problem), where=where, phase="fetch"),
            ) from problem

    def fetch_sources(
        self, output: RenderedOutput, mirror: Mirror, cache_dir: Path, say: Say
    ) -> None:
        """Put every file and repository where the localized recipe looks for it."""
        fetched = self.path / "fetched"
        fetched.mkdir()
        fetcher = Fetcher(fetched, machine_providers(cache_dir), mirror, say)
        try:
            for file in output.files:
                got = fetcher.fetch(Wanted(urls=file.urls, sha256=file.sha256, md5=file.md5))
                place = self.path / "sources" / file.local_path
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(got.path, place)
            for repository in output.repositories:
                say(f"cloning {repository.url}")
                git.clone(repository.url, self.path / "sources" / repository.local_path)
        except SourceFailed as problem:
            raise AttemptFailed(
                problem.outcome,
                Failure(
                    code=problem.code, message=problem.message, hint=problem.hint, phase="fetch"
                ),
            ) from problem
        shutil.rmtree(fetched)


def _unpack(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    """One member; names and links that lead out of the directory are refused.

    ``tarfile``'s own filters came with Python 3.11.4, and we run on 3.11.
    """
    target = _inside(into, member.name)
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.parent.resolve() != target.parent:
        raise _broken(f"the feedstock's archive writes through a link: {member.name}")
    if member.issym():
        _inside(into, posixpath.join(posixpath.dirname(member.name), member.linkname))
        target.symlink_to(member.linkname)
    elif member.isreg() and (content := tar.extractfile(member)) is not None:
        with content, target.open("wb") as file:
            shutil.copyfileobj(content, file)
        target.chmod(0o755 if member.mode & 0o100 else 0o644)
    else:
        raise _broken(f"the feedstock's archive holds a special file: {member.name}")


def _inside(into: Path, name: str) -> Path:
    plain = posixpath.normpath(name)
    if plain.startswith(("/", "../")) or plain == "..":
        raise _broken(f"the feedstock's archive leads outside: {name}")
    return into.resolve() / plain


def _broken(message: str) -> AttemptFailed:
    failure = Failure(code="feedstock_broken", message=message, phase="fetch")
    return AttemptFailed(Outcome.INFRASTRUCTURE, failure)
