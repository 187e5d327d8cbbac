"""What Forgeyard is compared with: rattler-build alone, one recipe in one process.

``bare_build.py RECIPE_DIR CHANNEL OUTPUT VARIANT_FILE…`` builds and tests every variant of
a recipe, puts the packages into a channel folder and indexes it, as one would by hand.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import rattler_build as engine
from rattler.index import index_fs


async def _index(channel: Path) -> None:
    await index_fs(channel)
    await asyncio.sleep(0.05)  # the library may crash when the loop ends at once


def main() -> None:
    """Build, test, copy, index."""
    recipe, channel, output = (Path(argument) for argument in sys.argv[1:4])
    platform = engine.PlatformConfig(
        target_platform="linux-64", build_platform="linux-64", host_platform="linux-64"
    )
    files = [*sys.argv[4:]]
    if (recipe / "variants.yaml").exists():
        files.append(str(recipe / "variants.yaml"))
    variants = engine.VariantConfig.from_files_with_context(
        files, engine.JinjaConfig(platform=platform)
    )
    rendered = engine.Stage0Recipe.from_file(str(recipe / "recipe.yaml")).render(
        variants, engine.RenderConfig(platform=platform)
    )
    for variant in rendered:
        made = variant.run_build(
            tool_config=engine.ToolConfiguration(test_strategy="native"),
            output_dir=str(output),
            channels=[channel.as_uri()],
            package_format="conda:9",
        )
        for package in made.packages:
            folder = channel / Path(package).parent.name
            folder.mkdir(exist_ok=True)
            shutil.copy2(package, folder)
    asyncio.run(_index(channel))
    os._exit(0)


if __name__ == "__main__":
    main()
