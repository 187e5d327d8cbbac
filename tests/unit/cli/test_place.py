from __future__ import annotations

import stat
from pathlib import Path

import pytest

from forgeyard.cli import place
from forgeyard.cli.place import NoYard, ServerNote, find_directory, find_place


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORGEYARD_YARD", "FORGEYARD_SERVER", "FORGEYARD_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def yard(tmp_path: Path) -> Path:
    folder = tmp_path / "yard"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "forgeyard.toml").write_text("")
    return folder


def test_the_yard_is_found_from_a_folder_inside_it(
    yard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(yard / "deep" / "er")
    assert find_directory(None) == yard


def test_a_named_yard_wins_over_the_environment_and_that_over_the_folder(
    yard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, third = tmp_path / "other", tmp_path / "third"
    for folder in (other, third):
        folder.mkdir()
        (folder / "forgeyard.toml").write_text("")
    monkeypatch.chdir(yard)
    monkeypatch.setenv("FORGEYARD_YARD", str(other))
    assert find_directory(None) == other
    assert find_directory(str(third)) == third


def test_no_yard_anywhere_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoYard) as caught:
        find_directory(None)
    assert "forgeyard init" in str(caught.value.hint)
    with pytest.raises(NoYard, match="no yard in"):
        find_directory(str(tmp_path))


def test_a_server_needs_no_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORGEYARD_TOKEN", "fy_x")
    found = find_place(None, "http://yard.example.org/", None)
    assert found.server == "http://yard.example.org"
    assert found.token == "fy_x"


def test_the_stored_token_is_used_unless_another_is_named(
    yard: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.store_token(yard, "ada", "fy_stored")
    assert stat.S_IMODE((yard / place.CREDENTIALS).stat().st_mode) == 0o600
    assert find_place(str(yard), None, None).token == "fy_stored"
    assert find_place(str(yard), None, "fy_named").token == "fy_named"
    monkeypatch.setenv("FORGEYARD_TOKEN", "fy_environment")
    assert find_place(str(yard), None, None).token == "fy_environment"


def test_a_broken_server_note_is_as_good_as_none(yard: Path) -> None:
    assert place.server_note(yard) is None
    (yard / place.SERVER_FILE).write_text('{"pid": 1, "url": "http://127.0.0.1:1"}')
    assert place.server_note(yard) == ServerNote(pid=1, url="http://127.0.0.1:1")
    (yard / place.SERVER_FILE).write_text("{")
    assert place.server_note(yard) is None
