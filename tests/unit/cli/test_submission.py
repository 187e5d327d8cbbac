from __future__ import annotations

from typing import Any

import pytest

from forgeyard.cli.submission import tell, verdict


def a_submission(**parts: Any) -> dict[str, Any]:
    return {"batch": "s-1", "builds": [], "kept": [], "problems": [], **parts}


def kept(code: str, number: int = 1) -> list[dict[str, Any]]:
    return [{"filename": f"zlib-{n}.conda", "code": code, "reason": "why"} for n in range(number)]


@pytest.mark.parametrize(
    ("submission", "words", "code"),
    [
        (
            a_submission(kept=kept("published", 2)),
            "2 packages are published already, with the same inputs\n"
            "nothing to build: nothing has changed\n",
            0,
        ),
        (
            a_submission(builds=[{}], kept=kept("on_its_way")),
            "1 package is on the way already\n1 build to do, batch s-1\n",
            0,
        ),
        (a_submission(kept=kept("on_its_way")), "1 package is on the way already\n", 0),
        (a_submission(kept=kept("failed_before")), "not built: zlib-0.conda: why\n", 1),
        (
            a_submission(
                builds=[{}, {}],
                problems=[
                    {
                        "feedstock": "zlib",
                        "code": "recipe_yaml",
                        "message": "not valid YAML",
                        "hint": "Look.",
                        "where": {"file": "recipe.yaml", "line": 3},
                    }
                ],
            ),
            "error: zlib: recipe.yaml:3: not valid YAML\nhint: Look.\n2 builds to do, batch s-1\n",
            2,
        ),
    ],
)
def test_what_is_told_and_the_exit_code(
    submission: dict[str, Any], words: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(submission)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", words)
    assert verdict(submission) == code


def test_a_long_list_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    tell(a_submission(kept=kept("failed_before", 20)))
    assert capsys.readouterr().err.splitlines()[-1] == "not built: 8 more"
