"""Help: complete, truthful, and there before anything heavy is imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from forgeyard.cli.lazy import LazyGroup
from forgeyard.cli.main import cli

#: What costs more than the help itself.
HEAVY = ("httpx", "rich", "sqlalchemy", "fastapi", "rattler", "msgspec", "asyncio")


def every_command() -> Iterator[tuple[str, click.Command, str | None]]:
    """(path, command, its line in the group's list)."""

    def walk(
        path: str, command: click.Command, line: str | None
    ) -> Iterator[tuple[str, click.Command, str | None]]:
        yield path, command, line
        if isinstance(command, LazyGroup):
            context = click.Context(command)
            for name, (_, words) in command.lazy.items():
                child = command.get_command(context, name)
                assert child is not None
                yield from walk(f"{path} {name}", child, words)

    return walk("forgeyard", cli, None)


@pytest.mark.parametrize(("path", "command", "line"), list(every_command()))
def test_each_command_has_help_and_is_listed_by_its_own_words(
    path: str, command: click.Command, line: str | None
) -> None:
    assert command.help, path
    if line is not None:
        assert command.short_help == line
        assert command.name == path.rsplit(" ", 1)[-1]


@pytest.mark.parametrize(("path", "command", "line"), list(every_command()))
def test_each_option_of_a_command_says_what_it_is_for(
    path: str, command: click.Command, line: str | None
) -> None:
    silent = [
        option.name
        for option in command.params
        if isinstance(option, click.Option) and not option.help and not option.show_default
    ]
    assert silent == [], path


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from forgeyard.cli.main import run; run(['--help']); "
        f"sys.exit(','.join(m for m in {HEAVY!r} if m in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    assert "Exit codes" in done.stdout


def test_an_unknown_first_word_of_build_is_a_feedstock() -> None:
    group = cli.get_command(click.Context(cli), "build")
    assert isinstance(group, LazyGroup)
    context = click.Context(group)
    assert group.parse_args(context, ["zlib", "--force"]) == ["zlib", "--force"]
    assert context._protected_args == ["submit"]


def test_an_unknown_command_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    from forgeyard.cli.main import run

    assert run(["biuld"]) == 2
    assert "biuld" in capsys.readouterr().err
