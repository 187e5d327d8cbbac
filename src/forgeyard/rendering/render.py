"""Render a feedstock: its wanted outputs for one platform."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from forgeyard.errors import Unavailable
from forgeyard.recipes.problem import RecipeProblem
from forgeyard.rendering.protocol import Answer, Request

#: Where a feedstock may keep variants of its own, relative to the recipe's folder.
OWN_VARIANT_FILES = ("variants.yaml", "conda_build_config.yaml")
_TIMEOUT_SECONDS = 60


def render_feedstock(
    folder: Path,
    recipe_path: str,
    pinning_files: Sequence[Path],
    *,
    build_platform: str,
    target_platform: str,
) -> Answer:
    """The outputs that the recipe makes.  Raises RecipeProblem with file, line and field."""
    beside = Path(recipe_path).parent
    request = Request(
        folder=str(folder),
        recipe_path=recipe_path,
        pinning_files=tuple(str(p) for p in pinning_files),
        own_variants=tuple(str(beside / name) for name in OWN_VARIANT_FILES),
        build_platform=build_platform,
        target_platform=target_platform,
    )
    answer = _ask(request)
    if trouble := answer.trouble:
        raise RecipeProblem(
            trouble.message, code=trouble.code, hint=trouble.hint, where=trouble.where
        )
    return answer


def _ask(request: Request) -> Answer:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "forgeyard.rendering.child"],
            input=msgspec.json.encode(request),
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": _source_root()},
            check=False,
        )
    except subprocess.TimeoutExpired as expired:
        raise RecipeProblem(
            f"rendering took longer than {_TIMEOUT_SECONDS} s",
            code="recipe_render_limit",
            hint="Look for a template that loops or a variant product that explodes.",
        ) from expired
    if done.returncode < 0:
        raise RecipeProblem(
            f"rendering was ended by signal {-done.returncode} (time or memory limit)",
            code="recipe_render_limit",
            hint="Look for a template that loops or a variant product that explodes.",
        )
    if done.returncode:
        raise Unavailable(
            "the renderer failed: " + done.stderr.decode(errors="replace")[-2000:],
            code="renderer_failed",
        )
    return msgspec.json.decode(done.stdout, type=Answer)


def _source_root() -> str:
    """The folder that holds this package, so that the child finds it however it is installed."""
    return str(Path(__file__).resolve().parents[2])
