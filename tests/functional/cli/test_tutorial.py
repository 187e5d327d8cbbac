"""The tutorial's commands, as they stand in the text, do what it says they do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TUTORIAL = ROOT / "docs" / "tutorials" / "first-yard.md"
#: These go on for ever, are other people's programs, or take too long for here.
NOT_HERE = ("make ", ". ", "forgeyard up", "pixi ", "mamba ", "conda ", "forgeyard build zlib")


def commands() -> Iterator[str]:
    """Each command of the ``console`` blocks, a here-document included."""
    for block in re.findall(r"```console\n(.*?)```", TUTORIAL.read_text(), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, _, rest = part.partition("\n")
            end = rest.find("END\n") + len("END\n")
            yield f"{first}\n{rest[:end]}" if "<<'END'" in first else first


@pytest.mark.slow
def test_the_tutorial(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "forgeyard"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nfrom forgeyard.cli.main import entry\nentry()\n")
    program.chmod(0o755)
    (tmp_path / "path" / "to").mkdir(parents=True)
    (tmp_path / "path" / "to" / "forgeyard").symlink_to(ROOT)
    told: list[tuple[str, int, str]] = []
    folder, build = tmp_path, ""
    for command in commands():
        if command.startswith(NOT_HERE):
            continue
        if command == "cd ~/yard":
            folder = tmp_path / "yard"
            (folder / "path").symlink_to(tmp_path / "path")
            continue
        done = subprocess.run(
            ["bash", "-c", command.replace("b-…", build)],
            cwd=folder,
            env={"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        found = re.search(r"b-[0-9a-z]{13}", done.stdout)
        build = found[0] if found else build
        told.append((command.splitlines()[0], done.returncode, done.stdout))
    codes = [(command, code) for command, code, _ in told if command.startswith("forgeyard")]
    assert codes == [
        ("forgeyard --version", 0),
        ("forgeyard init ~/yard", 0),
        ("forgeyard feedstock add ~/feedstocks/hello", 0),
        ("forgeyard build hello", 1),
        ("forgeyard why b-…", 0),
        ("forgeyard build logs b-…", 0),
        ("forgeyard build hello", 0),
        ("forgeyard build hello", 0),
        ("forgeyard feedstock add path/to/forgeyard/examples/base", 0),
    ], told
    said = "\n".join(text for _, _, text in told)
    assert "made the yard" in said
    assert "failed in:      test" in said
    assert "all done: published 1" in said
    assert "1 package is published already, with the same inputs" in said
