from __future__ import annotations

import pytest

from forgeyard.cli import show


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "-"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_seconds(amount: float | None, text: str) -> None:
    assert show.seconds(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (10 * 2**20, "10 MiB"),
        (2**40, "1.0 TiB"),
    ],
)
def test_size(amount: float | None, text: str) -> None:
    assert show.size(amount) == text


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
