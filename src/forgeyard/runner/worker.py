"""Runs inside the sandbox: one build, one rebuild, or the tests of one package.

This file stands alone: the sandbox shows no other part of Forgeyard.  It reads
``/build/.worker.json`` and prints JSON lines: ``{"log": text, "level": …, "span": …}`` for
each line of the log and one ``{"end": …}`` at the end.  py-rattler-build holds the GIL
while it builds, cannot be stopped, and may crash at exit: so this process does one thing,
is killed from outside when it has to be, and ends with ``os._exit``.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

_ORDER = "/build/.worker.json"
_SITE = "/forgeyard/site"


def _emit(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


class _Log:
    """py-rattler-build's progress callback."""

    def on_log(self, event: Any) -> None:
        _emit({"log": event.message, "level": event.level, "span": event.span})

    def on_download_start(self, event: Any) -> None:
        """Nothing is downloaded inside the sandbox."""

    def on_download_progress(self, event: Any) -> None:
        """Nothing is downloaded inside the sandbox."""

    def on_download_complete(self, event: Any) -> None:
        """Nothing is downloaded inside the sandbox."""

    def on_build_step(self, event: Any) -> None:
        """Steps are read from the spans of the log."""


def _limit(order: dict[str, Any]) -> None:
    size = int(order["file_bytes"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _render(order: dict[str, Any]) -> Any:
    import rattler_build as rb

    platform = rb.PlatformConfig(
        target_platform=order["target_platform"],
        build_platform=order["build_platform"],
        host_platform=order["target_platform"],
    )
    stage0 = rb.Stage0Recipe.from_file(order["localized_recipe"])
    # Relative paths, and what goes into the package, are those of the original recipe.
    stage0._recipe_path = Path(order["recipe"])
    variants = rb.VariantConfig({key: [value] for key, value in order["variant"].items()})
    for rendered in stage0.render(variants, rb.RenderConfig(platform=platform)):
        if rendered.recipe.package.name == order["name"]:
            return rendered
    raise LookupError(f"the recipe makes no {order['name']}")


def _build(order: dict[str, Any]) -> dict[str, Any]:
    import rattler_build as rb

    result = _render(order).run_build(
        tool_config=rb.ToolConfiguration(
            test_strategy="skip",
            compression_threads=int(order["cpu_count"]),
        ),
        output_dir="/build",
        channels=order["channels"],
        progress_callback=_Log(),
        no_build_id=True,
        package_format=order["package_format"],
    )
    return {"packages": [str(path) for path in result.packages]}


def _rebuild(order: dict[str, Any]) -> dict[str, Any]:
    import rattler_build as rb

    package = rb.Package.from_file(order["package"])
    result = package.rebuild(
        test="skip", compression_threads=int(order["cpu_count"]), output_dir="/build/again"
    )
    return {"packages": [str(result.rebuilt_path)]}


def _test(order: dict[str, Any]) -> dict[str, Any]:
    import rattler_build as rb

    package = rb.Package.from_file(order["package"])
    results = package.run_tests(channel=order["channels"], progress_callback=_Log())
    bad = [result for result in results if not result.success]
    if bad:
        said = bad[0].output[-1] if bad[0].output else "Test failed"
        return {"failed": said}
    return {"tests": len(results)}


def main() -> int:
    """Do what the order says; 0 when it went well."""
    order = json.loads(Path(_ORDER).read_bytes())
    _limit(order)
    os.umask(0o022)
    sys.path.insert(0, _SITE)
    try:
        end = {"build": _build, "rebuild": _rebuild, "test": _test}[order["do"]](order)
    except BaseException as problem:  # a panic of the extension is no Exception
        end = {"failed": str(problem) or type(problem).__name__}
    _emit({"end": end})
    return 1 if "failed" in end else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
