"""What became of a wish for builds, in words."""

from __future__ import annotations

from collections import Counter
from typing import Any

from forgeyard.cli.problems import BAD_INPUT, BUILD_FAILED, GOOD, say_problem
from forgeyard.cli.show import say
from forgeyard.errors import Where

#: Outputs that are kept for these reasons are as they should be.
_FINE = {"published", "on_its_way"}
_MOST_LINES = 12


def tell(submission: dict[str, Any]) -> None:
    """Problems first, then what is kept and what is built."""
    for problem in submission["problems"]:
        say_problem(_place(problem), problem["message"], problem.get("hint"))
    kept = submission["kept"]
    fine = Counter(one["code"] for one in kept if one["code"] in _FINE)
    if fine["published"]:
        say(f"{_packages(fine['published'])} published already, with the same inputs")
    if fine["on_its_way"]:
        say(f"{_packages(fine['on_its_way'])} on the way already")
    stuck = [one for one in kept if one["code"] not in _FINE]
    for one in stuck[:_MOST_LINES]:
        say(f"not built: {one['filename']}: {one['reason']}")
    if len(stuck) > _MOST_LINES:
        say(f"not built: {len(stuck) - _MOST_LINES} more")
    if submission["builds"]:
        say(f"{_builds(len(submission['builds']))} to do, batch {submission['batch']}")
    elif not submission["problems"] and not stuck and not fine["on_its_way"]:
        say("nothing to build: nothing has changed")


def verdict(submission: dict[str, Any]) -> int:
    """The exit code that the submission by itself deserves."""
    if submission["problems"]:
        return BAD_INPUT
    stuck = any(one["code"] not in _FINE for one in submission["kept"])
    return BUILD_FAILED if stuck else GOOD


def _place(problem: dict[str, Any]) -> str:
    where = problem.get("where")
    place = str(Where(**where)) if where else ""
    feedstock = str(problem["feedstock"])
    return f"{feedstock}: {place}" if place else feedstock


def _packages(number: int) -> str:
    return "1 package is" if number == 1 else f"{number} packages are"


def _builds(number: int) -> str:
    return "1 build" if number == 1 else f"{number} builds"
