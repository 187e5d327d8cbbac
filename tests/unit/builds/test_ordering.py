"""Edges between builds come from match specs, not from names alone."""

from __future__ import annotations

import pytest

from forgeyard.builds.ordering import DependencyCycle, Wanted, dependencies
from forgeyard.builds.specs import satisfies
from forgeyard.recipes.rendered import RenderedOutput, Requirements

PYTHONS = ("3.11.* *_cpython", "3.13.* *_cpython")


def wanted(
    key: str,
    version: str = "1.0",
    build_string: str = "h0_0",
    subdir: str = "linux-64",
    variant: dict[str, str] | None = None,
    **requirements: tuple[str, ...],
) -> Wanted:
    output = RenderedOutput(
        name=key.split("@")[0],
        version=version,
        build_string=build_string,
        build_number=0,
        subdir=subdir,
        used_variant={},
        requirements=Requirements(**requirements),
    )
    return Wanted(key=key, output=output, variant=variant or {})


BUILT_PYTHONS = [
    wanted("python@11", "3.11.2", "h1_0_cpython"),
    wanted("python@13", "3.13.5", "h1_0_cpython"),
]


def test_a_bare_python_means_the_variant_s_python() -> None:
    users = [
        wanted(f"msgpack@{n}", variant={"python": pin}, host=("python",), run=("python",))
        for n, pin in zip((11, 13), PYTHONS, strict=True)
    ]
    waits = dependencies([*BUILT_PYTHONS, *users], satisfies)
    assert waits["msgpack@11"] == {"python@11"}
    assert waits["msgpack@13"] == {"python@13"}


def test_a_noarch_package_waits_only_for_the_python_it_is_built_with() -> None:
    click = wanted("click", subdir="noarch", host=("python 3.11.*",), run=("python >=3.11",))
    assert dependencies([*BUILT_PYTHONS, click], satisfies)["click"] == {"python@11"}


def test_another_version_is_not_waited_for() -> None:
    waits = dependencies([wanted("zlib", "1.3"), wanted("app", host=("zlib >=2",))], satisfies)
    assert waits["app"] == set()


def test_builds_on_their_way_are_waited_for() -> None:
    waits = dependencies([wanted("app", host=("zlib",))], satisfies, [wanted("zlib")])
    assert waits == {"app": {"zlib"}}


def test_a_circle_is_refused_with_its_path() -> None:
    circle = [wanted("a", host=("b",)), wanted("b", build=("c",)), wanted("c", host=("a",))]
    with pytest.raises(DependencyCycle, match=r"(a → b → c → a|b → c → a → b|c → a → b → c)") as e:
        dependencies(circle, satisfies)
    assert e.value.hint


def test_a_circle_of_run_requirements_is_cut() -> None:
    """pip runs with setuptools, setuptools is built with pip: no circle for the builder."""
    waits = dependencies(
        [wanted("pip", run=("setuptools",)), wanted("setuptools", host=("pip",))], satisfies
    )
    assert waits == {"pip": set(), "setuptools": {"pip"}}


def test_what_a_compiler_exports_is_there_before_the_compiler_counts_as_built() -> None:
    gcc = wanted("gcc", exports=("libgcc >=1",))
    waits = dependencies([gcc, wanted("libgcc"), wanted("zlib", build=("gcc",))], satisfies)
    assert waits == {"gcc": {"libgcc"}, "libgcc": set(), "zlib": {"gcc"}}


def test_a_library_that_exports_itself_does_not_wait_for_itself() -> None:
    assert dependencies([wanted("zlib", exports=("zlib",))], satisfies) == {"zlib": set()}


def test_a_variant_does_not_wait_for_its_sister() -> None:
    pythons = [
        wanted(f"python@{n}", version, "h1_0_cpython", exports=("python", "python_abi"))
        for n, version in ((11, "3.11.2"), (13, "3.13.5"))
    ]
    assert dependencies(pythons, satisfies) == {"python@11": set(), "python@13": set()}
