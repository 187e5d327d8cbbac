"""What the runner reads out of a rendered recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forgeyard.builds.job import Job
from forgeyard.builds.outcome import Stage
from forgeyard.runner.failures import AttemptFailed
from forgeyard.runner.rendering import Pin, RenderedOutput, render


def rendered(tmp_path: Path, text: str, variant: dict[str, Any] | None = None) -> RenderedOutput:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(text)
    job = Job(
        attempt_id="a",
        build_id="b",
        stage=Stage.BUILD,
        server="http://yard.invalid",
        channels=(),
        feedstock="",
        name="demo",
        version="1.0",
        build_string="",
        subdir="linux-64",
        build_platform="linux-64",
        target_platform="linux-64",
        variant=variant or {},
    )
    return render(job, recipe, recipe)


def test_bare_names_take_the_variant_and_others_do_not(tmp_path: Path) -> None:
    found = rendered(
        tmp_path,
        'package: {name: demo, version: "1.0"}\n'
        "requirements:\n  build: [python 3.9.*]\n  host: [python, zlib, numpy, r-base]\n",
        {"python": "3.11.* *_cpython", "zlib": "1.3", "r_base": "4.4"},
    )
    assert found.requirements.build == ("python 3.9.*",)
    assert set(found.requirements.host) == {
        "python 3.11.* *_cpython",
        "zlib =1.3",
        "numpy",
        "r-base =4.4",
    }


def test_python_from_version_independent_packages(tmp_path: Path) -> None:
    found = rendered(
        tmp_path,
        'package: {name: demo, version: "1.0"}\n'
        "build: {python: {version_independent: true}}\n"
        "requirements: {host: [python], ignore_run_exports: {by_name: [x]}}\n",
        {"python": "3.11"},
    )
    assert found.requirements.ignore_by_name == {"x", "python"}
    assert found.requirements.ignore_from_package == {"python"}


def test_subpackage_pins(tmp_path: Path) -> None:
    found = rendered(
        tmp_path,
        'recipe: {name: top, version: "1.2.3"}\noutputs:\n'
        "  - package: {name: lib}\n"
        "  - package: {name: demo}\n"
        "    requirements:\n      host:\n"
        "        - ${{ pin_subpackage('lib', upper_bound='x.x') }}\n",
    )
    assert found.requirements.host == ("lib >=1.2.3,<1.3.0a0",)


def test_output_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AttemptFailed) as caught:
        rendered(tmp_path, 'package: {name: other, version: "1.0"}\n')
    assert caught.value.failure is not None
    assert caught.value.failure.code == "output_missing"
    assert "other" in caught.value.failure.message


@pytest.mark.parametrize(
    ("pin", "spec"),
    [
        (Pin(name="a", exact=True), "a ==1.2.3 h0_0"),
        (Pin(name="a", lower_bound="x.x", upper_bound="x"), "a >=1.2,<2.0a0"),
        (Pin(name="a", lower_bound="1.0", upper_bound="2.0"), "a >=1.0,<2.0"),
        (Pin(name="a", lower_bound="x.x.x.x.x.x"), "a >=1.2.3"),
        (Pin(name="a"), "a"),
        (Pin(name="a", upper_bound="x.x", build="*_mpi"), "a <1.3.0a0 *_mpi"),
    ],
)
def test_pins(pin: Pin, spec: str) -> None:
    assert pin.apply("1.2.3", "h0_0") == spec
