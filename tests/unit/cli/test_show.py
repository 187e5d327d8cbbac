from __future__ import annotations

import pytest

from forgeyard.cli import show


def test_a_table_is_aligned_and_has_no_colour_when_it_is_not_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show.print_table(("name", "state"), [("zlib", "running"), ("a", None)], words=("state",))
    assert capsys.readouterr().out == "NAME  STATE\nzlib  running\na     -\n"


def test_empty_fields_are_left_out_and_lines_are_indented(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show.print_fields([("name", "zlib"), ("commit", None), ("sources", "one\ntwo")])
    assert capsys.readouterr().out == "name:    zlib\nsources: one\n         two\n"


class Terminal:
    def isatty(self) -> bool:
        return True


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert show.style("failed", "bad", err=True) != "failed"
    monkeypatch.setenv("NO_COLOR", "1")
    assert show.style("failed", "bad", err=True) == "failed"
