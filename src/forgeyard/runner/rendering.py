"""Renders the one output of a job and reads what the runner has to prepare for it.

py-rattler-build renders (CEP 13, CEP 14); its ``Stage1Recipe.to_dict`` is turned into
values here, so that nothing else in the runner knows its shape.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import rattler_build

from forgeyard.builds.job import Job
from forgeyard.builds.outcome import Failure, Outcome
from forgeyard.runner import crossing, recipe_text
from forgeyard.runner.failures import AttemptFailed


class Requirements(msgspec.Struct, frozen=True, kw_only=True):
    """What a build's environments are made of, as match specs."""

    build: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    #: ``pin_compatible`` in host: (name, lower bound, upper bound), applied after the
    #: build environment is known.
    host_pins: tuple[Pin, ...] = ()
    merge_build_and_host: bool = False
    ignore_by_name: frozenset[str] = frozenset()
    ignore_from_package: frozenset[str] = frozenset()


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """``pin_subpackage`` or ``pin_compatible`` before it is applied."""

    name: str
    exact: bool = False
    lower_bound: str | None = None
    upper_bound: str | None = None
    build: str | None = None

    def apply(self, version: str, build: str) -> str:
        """The match spec for a package of this version and build string."""
        if self.exact:
            return f"{self.name} =={version} {build}"
        bounds = [
            f"{sign}{bound}"
            for sign, bound in (
                (">=", _lower(self.lower_bound, version)),
                ("<", _upper(self.upper_bound, version)),
            )
            if bound
        ]
        return " ".join(filter(None, (self.name, ",".join(bounds), self.build)))


class UrlSource(msgspec.Struct, frozen=True, kw_only=True):
    """A file that the recipe names."""

    urls: tuple[str, ...]
    #: Path below the sandbox's sources where rattler-build looks for it first.
    local_path: str
    sha256: str | None = None
    md5: str | None = None


class GitSource(msgspec.Struct, frozen=True, kw_only=True):
    """A repository that the recipe names."""

    url: str
    local_path: str


class RenderedOutput(msgspec.Struct, frozen=True, kw_only=True):
    """One output of one variant, as far as the runner needs it."""

    name: str
    version: str
    build_string: str
    noarch: bool
    requirements: Requirements
    files: tuple[UrlSource, ...]
    repositories: tuple[GitSource, ...]


def render(job: Job, localized: Path, recipe: Path) -> RenderedOutput:
    """The output that the job is about; ``AttemptFailed`` when the recipe has no such one.

    ``localized`` is the recipe with local sources (``recipe_text``), ``recipe`` the original.
    """
    outputs = _outputs(job, localized, recipe)
    for output in outputs:
        if output["package"]["name"] == job.name:
            return _read(job, output, outputs)
    names = ", ".join(output["package"]["name"] for output in outputs) or "nothing"
    raise _fault("output_missing", f"the recipe makes {names}, not {job.name}")


def prepare_crossing(job: Job, localized: Path, recipe: Path, build_string: str) -> None:
    """Change the localized recipe so that its host environment is the target's."""
    text = localized.read_text()
    localized.write_text(crossing.mark_outputs(text))
    marked = _outputs(job, localized, recipe)
    marks = {each["package"]["name"]: str(each["build"]["string"]) for each in marked}
    number = int(marks[job.name].removeprefix("mark_"))
    localized.write_text(crossing.with_platforms(text, number, build_string))


def _outputs(job: Job, localized: Path, recipe: Path) -> list[dict[str, Any]]:
    platform = rattler_build.PlatformConfig(
        target_platform=job.target_platform,
        build_platform=job.build_platform,
        host_platform=job.target_platform,
    )
    variants = rattler_build.VariantConfig({key: [job.variant[key]] for key in job.variant})
    try:
        stage0 = rattler_build.Stage0Recipe.from_file(localized)
        # Relative paths are those of the original; ``from_yaml`` would overwrite it.
        stage0._recipe_path = recipe
        rendered = stage0.render(variants, rattler_build.RenderConfig(platform=platform))
    except rattler_build.RattlerBuildError as problem:
        raise _fault("recipe_invalid", f"the recipe cannot be rendered: {problem}") from problem
    return [each.recipe.to_dict() | {"variant": each.variant} for each in rendered]


def _fault(code: str, message: str) -> AttemptFailed:
    failure = Failure(code=code, message=message, phase="solve")
    return AttemptFailed(Outcome.FAILED, failure)


def _read(job: Job, output: dict[str, Any], outputs: list[dict[str, Any]]) -> RenderedOutput:
    build_string = str(output["build"]["string"])
    if job.build_string and build_string != job.build_string:
        raise _fault(
            "render_mismatch",
            f"the recipe renders to build string {build_string} here; the yard wants "
            f"{job.build_string}",
        )
    siblings = {
        each["package"]["name"]: (str(each["package"]["version"]), str(each["build"]["string"]))
        for each in outputs
    }
    sources = output.get("source", [])
    return RenderedOutput(
        name=output["package"]["name"],
        version=str(output["package"]["version"]),
        build_string=build_string,
        noarch="noarch" in output["build"],
        requirements=_requirements(output, siblings),
        files=tuple(_url_source(each) for each in sources if "url" in each),
        repositories=tuple(_git_source(each) for each in sources if "git" in each),
    )


def _url_source(source: dict[str, Any]) -> UrlSource:
    found = [source["url"]] if isinstance(source["url"], str) else list(source["url"])
    local = [url for url in found if recipe_text.is_local(url)]
    elsewhere = [url for url in found if not recipe_text.is_local(url)]
    return UrlSource(
        urls=tuple(elsewhere or map(recipe_text.original, local)),
        local_path=recipe_text.local_path(local[0]),
        sha256=source.get("sha256"),
        md5=source.get("md5"),
    )


def _git_source(source: dict[str, Any]) -> GitSource:
    twin = str(source["git"])
    return GitSource(url=recipe_text.original(twin), local_path=recipe_text.local_path(twin))


def _requirements(output: dict[str, Any], siblings: dict[str, tuple[str, str]]) -> Requirements:
    found = output.get("requirements", {})
    variant = {str(key): str(value) for key, value in output["variant"].items()}
    ignored = found.get("ignore_run_exports", {})
    names = [str(name) for name in ignored.get("by_name", ())]
    packages = [str(name) for name in ignored.get("from_package", ())]
    if output["build"].get("python", {}).get("version_independent"):
        # CEP 20: an abi3 package does not inherit python's own exports.
        names.append("python")
        packages.append("python")

    def specs(section: str) -> tuple[str, ...]:
        return tuple(
            _spec(each, variant, siblings)
            for each in found.get(section, ())
            if isinstance(each, str) or "pin_compatible" not in each
        )

    return Requirements(
        build=specs("build"),
        host=specs("host"),
        host_pins=tuple(
            _pin(each["pin_compatible"])
            for each in found.get("host", ())
            if not isinstance(each, str) and "pin_compatible" in each
        ),
        merge_build_and_host=bool(output["build"].get("merge_build_and_host_envs")),
        ignore_by_name=frozenset(names),
        ignore_from_package=frozenset(packages),
    )


def _spec(
    requirement: str | dict[str, Any],
    variant: dict[str, str],
    siblings: dict[str, tuple[str, str]],
) -> str:
    if not isinstance(requirement, str):
        pin = _pin(requirement["pin_subpackage"])
        if pin.name not in siblings:
            raise _fault("output_missing", f"pin_subpackage: the recipe has no {pin.name}")
        return pin.apply(*siblings[pin.name])
    # A bare name takes the variant's value, as rattler-build does it.
    if re.fullmatch(r"[A-Za-z0-9_.-]+", requirement):
        value = variant.get(_variant_key(requirement)) or variant.get(requirement)
        if value is not None:
            plain = re.fullmatch(r"[\w.]+", value) is not None
            return f"{requirement} {'=' if plain else ''}{value}"
    return requirement


def _variant_key(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _pin(fields: dict[str, Any]) -> Pin:
    return Pin(
        name=str(fields["name"]),
        exact=bool(fields.get("exact", False)),
        lower_bound=fields.get("lower_bound"),
        upper_bound=fields.get("upper_bound"),
        build=fields.get("build"),
    )


def _is_expression(bound: str) -> bool:
    return set(bound) <= {"x", "."}


def _segments(version: str) -> list[str]:
    return re.split(r"[.+_-]", version.split("!", 1)[-1])


def _lower(bound: str | None, version: str) -> str | None:
    if bound is None or not _is_expression(bound):
        return bound
    return ".".join(_segments(version)[: bound.count("x")])


def _upper(bound: str | None, version: str) -> str | None:
    """One more than the version in its last pinned segment, as conda's pins have it."""
    if bound is None or not _is_expression(bound):
        return bound
    segments = _segments(version)[: bound.count("x")]
    match = re.match(r"\d+", segments[-1])
    segments[-1] = str(int(match.group()) + 1) if match else segments[-1]
    return ".".join([*segments, "0a0"])
