"""A rendered output: one package that a recipe makes with one variant (CEP 14, CEP 45)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from forgeyard.recipes.source import Source


class Requirements(msgspec.Struct, frozen=True, kw_only=True):
    """Match specs as text, compilers and pins already resolved."""

    build: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    run: tuple[str, ...] = ()
    #: What the tests ask for beyond the package itself.
    test: tuple[str, ...] = ()
    #: What its run exports add to the packages that are built with it.
    exports: tuple[str, ...] = ()


class RenderedOutput(msgspec.Struct, frozen=True, kw_only=True):
    """What one build has to make."""

    name: str
    version: str
    build_string: str
    build_number: int
    subdir: str
    #: The variant keys that the recipe used, with their values.
    used_variant: dict[str, Any]
    requirements: Requirements
    sources: tuple[Source, ...] = ()
    #: The rendered recipe as a document.
    document: dict[str, Any] = {}

    @property
    def filename(self) -> str:
        """The package file's name (CEP 26)."""
        return f"{self.name}-{self.version}-{self.build_string}.conda"


def requirements_of(document: Mapping[str, Any], siblings: Mapping[str, str]) -> Requirements:
    """Requirements of a rendered recipe document.

    ``siblings`` maps the outputs of the same recipe to ``version build_string``, with
    which exact pins are filled in.
    """
    sections = document.get("requirements") or {}
    tests = document.get("tests") or []
    wanted: list[Any] = []
    for test in tests:
        asked = test.get("requirements") or {}
        wanted += [*(asked.get("run") or []), *(asked.get("build") or [])]
    return Requirements(
        build=_specs(sections.get("build"), siblings),
        host=_specs(sections.get("host"), siblings),
        run=_specs(sections.get("run"), siblings),
        test=_specs(wanted, siblings),
        exports=_specs(_exported(sections.get("run_exports")), siblings),
    )


def _exported(section: Any) -> list[Any]:
    """All entries of ``run_exports``, which is a list (all weak) or a mapping of lists."""
    if isinstance(section, Mapping):
        return [entry for kind in section.values() for entry in kind]
    return list(section or ())


def _specs(entries: Iterable[Any] | None, siblings: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(_spec(entry, siblings) for entry in entries or ())


def _spec(entry: Any, siblings: Mapping[str, str]) -> str:
    if isinstance(entry, str):
        return entry
    pin = entry.get("pin_subpackage") or entry.get("pin_compatible") or {}
    name = str(pin.get("name", ""))
    if pin.get("exact") and name in siblings:
        return f"{name} {siblings[name]}"
    return name


def sources_of(document: Mapping[str, Any]) -> tuple[Source, ...]:
    """Sources to fetch before the build; ``path`` sources lie in the feedstock itself."""
    section = document.get("source") or []
    entries = section if isinstance(section, list) else [section]
    found = []
    for entry in entries:
        if url := entry.get("url"):
            urls = tuple(url) if isinstance(url, list) else (url,)
            found.append(Source(urls=urls, sha256=entry.get("sha256")))
        elif git := entry.get("git"):
            rev = entry.get("rev") or entry.get("tag") or entry.get("branch")
            found.append(Source(git=str(git), rev=str(rev) if rev else None))
    return tuple(found)
