"""The child that renders: a request on standard input, the outputs on standard output."""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from typing import Any

import msgspec

from forgeyard.recipes.problem import RecipeProblem, problem_from_text
from forgeyard.recipes.rendered import RenderedOutput, requirements_of, sources_of
from forgeyard.rendering.protocol import Answer, Request, Trouble

_CPU_SECONDS = 60
_MEMORY_BYTES = 4 * 2**30


def main() -> int:
    """Render what standard input asks for."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    try:
        answer = render(request)
    except RecipeProblem as problem:
        answer = Answer(
            trouble=Trouble(
                code=problem.code,
                message=problem.message,
                hint=problem.hint,
                where=problem.where,
            )
        )
    sys.stdout.buffer.write(msgspec.json.encode(answer))
    sys.stdout.flush()
    return 0


def render(request: Request) -> Answer:
    """Outputs of one recipe for one platform."""
    import rattler_build as engine

    folder = Path(request.folder)
    recipe = folder / request.recipe_path
    platform = engine.PlatformConfig(
        target_platform=request.target_platform,
        build_platform=request.build_platform,
        host_platform=request.target_platform,
    )
    own = [p for p in request.own_variants if (folder / p).is_file()]
    files: list[str | Path] = [*request.pinning_files, *(folder / p for p in own)]
    shown = "variants"
    try:
        configuration = (
            engine.VariantConfig.from_files_with_context(
                files, engine.JinjaConfig(platform=platform)
            )
            if files
            else engine.VariantConfig()
        )
        shown = request.recipe_path
        stage0 = engine.Stage0Recipe.from_file(str(recipe))
        variants = stage0.render(configuration, engine.RenderConfig(platform=platform))
    except Exception as error:  # the engine raises several unrelated types
        text = recipe.read_text(errors="replace") if shown == request.recipe_path else ""
        raise problem_from_text(str(error), shown, text) from error
    documents = [(variant, variant.recipe.to_dict()) for variant in variants]
    return Answer(
        outputs=tuple(_output(variant, doc, documents, request) for variant, doc in documents),
        configuration={k: list(v) for k, v in configuration.to_dict().items()},
    )


def _output(
    variant: Any,
    document: dict[str, Any],
    documents: list[tuple[Any, dict[str, Any]]],
    request: Request,
) -> RenderedOutput:
    package, build = document["package"], document["build"]
    noarch = build.get("noarch")
    siblings = _siblings(variant, documents)
    return RenderedOutput(
        name=package["name"],
        version=str(package["version"]),
        build_string=str(build["string"]),
        build_number=int(build.get("number", 0)),
        subdir="noarch" if noarch else request.target_platform,
        used_variant=dict(variant.variant),
        requirements=requirements_of(document, siblings),
        sources=sources_of(document),
        document=document,
    )


def _siblings(variant: Any, documents: list[tuple[Any, dict[str, Any]]]) -> dict[str, str]:
    """Outputs of the same recipe → ``version build``, of those that share this variant."""
    found: dict[str, str] = {}
    mine = dict(variant.variant)
    for other, document in documents:
        theirs = dict(other.variant)
        if all(mine.get(key, value) == value for key, value in theirs.items()):
            package, build = document["package"], document["build"]
            found[package["name"]] = f"{package['version']} {build['string']}"
    return found


if __name__ == "__main__":
    code = main()
    os._exit(code)  # the engine's threads may crash an orderly interpreter exit
