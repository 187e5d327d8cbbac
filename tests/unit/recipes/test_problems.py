"""A recipe that is wrong says where and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from forgeyard.recipes.problem import RecipeProblem
from forgeyard.recipes.rendered import RenderedOutput
from forgeyard.rendering.render import render_feedstock

GOOD = """\
package:
  name: app
  version: "1.0"
source:
  url: [pypi://app/app-1.0.tar.gz, https://example.org/app-1.0.tar.gz]
  sha256: aaa776260ab4dc976db34aa7891819484c8676b5b2783123ebc6301e2ca5d655
build:
  number: 3
requirements:
  host:
    - python
  run:
    - python
"""


def render(folder: Path, recipe: str, variants: str = "") -> tuple[RenderedOutput, ...]:
    (folder / "recipe.yaml").write_text(recipe)
    if variants:
        (folder / "variants.yaml").write_text(variants)
    answer = render_feedstock(
        folder, "recipe.yaml", [], build_platform="linux-64", target_platform="linux-64"
    )
    return answer.outputs


@pytest.mark.parametrize(
    ("recipe", "code", "line", "field"),
    [
        ("package:\n  name: [\n", "recipe_yaml", 3, None),
        ("package:\n  name: x\n  version: '1'\nfoo: 1\n", "recipe_unknown_key", 4, "foo"),
        (
            "package:\n  name: x\n  version: '1'\nbuild:\n  nmber: 0\n",
            "recipe_unknown_key",
            5,
            "build.nmber",
        ),
        ("package:\n  name: x\n  version: ${{ v }}\n", "recipe_undefined_variable", 3, None),
    ],
)
def test_problem_names_line_and_field(
    tmp_path: Path, recipe: str, code: str, line: int, field: str | None
) -> None:
    with pytest.raises(RecipeProblem) as caught:
        render(tmp_path, recipe)
    problem = caught.value
    assert problem.code == code
    assert problem.where is not None
    assert (problem.where.file, problem.where.line, problem.where.field) == (
        "recipe.yaml",
        line,
        field,
    )
    assert problem.hint


def test_a_variant_of_zipped_keys_makes_one_output_each(tmp_path: Path) -> None:
    outputs = render(
        tmp_path,
        GOOD,
        "python: [3.11.*, 3.13.*]\npython_impl: [cpython, cpython]\n"
        "zip_keys: [[python, python_impl]]\n",
    )
    assert [o.used_variant["python"] for o in outputs] == ["3.11.*", "3.13.*"]
    assert len({o.filename for o in outputs}) == 2
    assert outputs[0].sources[0].urls == (
        "pypi://app/app-1.0.tar.gz",
        "https://example.org/app-1.0.tar.gz",
    )


def test_the_environment_of_the_yard_is_not_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGEYARD_TOKEN", "secret")
    recipe = f"{GOOD}about:\n  summary: ${{{{ env.get('FORGEYARD_TOKEN', default='none') }}}}\n"
    outputs = render(tmp_path, recipe)
    assert outputs[0].document["about"]["summary"] == "none"
