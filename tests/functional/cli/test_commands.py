"""Commands on a yard that nobody serves: the API answers inside the process."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from yards import write_recipe

Forgeyard = Callable[..., Any]


@pytest.fixture
def feedstocks(tmp_path: Path) -> Path:
    folder = tmp_path / "feedstocks"
    folder.mkdir()
    return folder


def test_init_makes_all_that_a_yard_needs(yard: Path) -> None:
    settings = tomllib.loads((yard / "forgeyard.toml").read_text())
    assert settings["yard"]["name"] == "Test"
    assert {file.name for file in (yard / "pinning").iterdir()} == {"machine.yaml", "variants.yaml"}
    assert stat.S_IMODE((yard / "credentials.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE((yard / "keys").stat().st_mode) == 0o700


def test_init_says_what_to_do_next_and_leaves_a_yard_alone(
    forgeyard: Forgeyard, yard: Path, tmp_path: Path
) -> None:
    before = (yard / "credentials.toml").read_text()
    again = forgeyard("init", yard)
    assert (again.code, again.out) == (2, "")
    assert "is a yard already" in again.err
    assert (yard / "credentials.toml").read_text() == before
    assert "forgeyard up" in forgeyard("init", tmp_path / "other").err


def test_init_detect_writes_the_facts_again(forgeyard: Forgeyard, yard: Path) -> None:
    facts = yard / "pinning" / "machine.yaml"
    right = facts.read_text()
    facts.write_text("c_compiler_version:\n  - '4'\n")
    assert "compiler_changed" in [f["code"] for f in forgeyard("doctor", "--json").data]
    assert forgeyard("init", "--detect", yard).code == 0
    assert facts.read_text() == right


def test_a_database_on_another_name_is_kept_in_the_settings(
    forgeyard: Forgeyard, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'else where.db'}"
    assert forgeyard("init", tmp_path / "y", "--database", url).code == 0
    assert (tmp_path / "else where.db").exists()


def test_feedstocks_are_added_listed_shown_and_removed(
    forgeyard: Forgeyard, yard: Path, feedstocks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_recipe(feedstocks, "alpha")
    write_recipe(feedstocks, "beta")
    monkeypatch.chdir(feedstocks.parent)
    added = forgeyard("feedstock", "add", "feedstocks", "--json")
    assert [(one["name"], one["changed"]) for one in added.data] == [
        ("alpha", True),
        ("beta", True),
    ]
    again = forgeyard("feedstock", "add", "feedstocks/alpha")
    assert again.out == "FEEDSTOCK  FILES\nalpha      as before\n"
    listed = forgeyard("feedstock", "list")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["FEEDSTOCK", "alpha", "beta"]
    assert "maintainers: grace" in forgeyard("feedstock", "show", "alpha").out
    assert forgeyard("feedstock", "remove", "alpha").code == 0
    gone = forgeyard("feedstock", "show", "alpha")
    assert (gone.code, gone.err) == (2, "error: there is no feedstock alpha\n")


def test_one_bad_recipe_does_not_keep_the_good_ones_out(
    forgeyard: Forgeyard, yard: Path, feedstocks: Path
) -> None:
    good = write_recipe(feedstocks, "good")
    bad = write_recipe(feedstocks, "bad")
    (bad / "recipe.yaml").write_text("package:\n  name: bad\n version: 1\n")
    said = forgeyard("feedstock", "add", bad, good, "--json")
    assert said.code == 2
    assert [one["name"] for one in said.data] == ["good"]
    assert "error: bad/recipe.yaml:3" in said.err


def test_what_is_wrong_with_a_recipe_is_said_with_its_line(
    forgeyard: Forgeyard, yard: Path, feedstocks: Path
) -> None:
    folder = write_recipe(feedstocks, "odd")
    (folder / "recipe.yaml").write_text(
        "package:\n  name: odd\n  version: '1'\nbuilt:\n  number: 0\n"
    )
    forgeyard("feedstock", "add", folder)
    said = forgeyard("build", "odd", "--no-wait")
    assert said.code == 2
    assert "error: odd: recipe.yaml:4 (built): unknown key 'built'" in said.err
    assert "hint: " in said.err


def test_submitted_builds_are_listed_explained_and_cancelled(
    forgeyard: Forgeyard, yard: Path, feedstocks: Path
) -> None:
    write_recipe(feedstocks, "base")
    write_recipe(feedstocks, "top", host=("base",))
    forgeyard("feedstock", "add", feedstocks)
    submission = forgeyard("build", "--all", "--no-wait", "--json").data
    ids = {one["name"]: one["id"] for one in submission["builds"]}
    listed = forgeyard("build", "list", "--json").data
    assert {one["name"]: one["state"] for one in listed} == {"base": "ready", "top": "waiting"}
    assert "2 packages are on the way already" in forgeyard("build", "--all", "--no-wait").err
    explained = forgeyard("why", ids["top"])
    assert f"waits for:      base ({ids['base']}, ready)" in explained.out
    assert forgeyard("build", "cancel", ids["base"]).code == 0
    ended = forgeyard("build", "list", "--state", "done").out
    assert "cancelled" in ended
    assert "dependency_failed" in ended
    twice = forgeyard("build", "cancel", ids["base"])
    assert twice.code == 2
    assert "has ended already" in twice.err


def test_names_or_all_but_not_both(forgeyard: Forgeyard, yard: Path) -> None:
    assert forgeyard("build", "submit").code == 2
    assert forgeyard("build", "zlib", "--all").code == 2
    unknown = forgeyard("build", "zlib", "--no-wait")
    assert unknown.code == 2
    assert "there is no feedstock zlib" in unknown.err


def test_a_bot_may_do_what_its_token_says_and_no_more(
    forgeyard: Forgeyard, yard: Path, feedstocks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = forgeyard("token", "create", "--for", "nightly", "--scope", "build:submit")
    token = made.out.strip()
    assert token and token not in made.err
    listed = forgeyard("token", "list", "--json").data
    bot = next(one for one in listed if one["member"] == "nightly")
    assert (bot["kind"], bot["scopes"]) == ("bot", ["build:submit"])
    monkeypatch.setenv("FORGEYARD_TOKEN", token)
    refused = forgeyard("feedstock", "add", feedstocks)
    assert refused.code == 3
    assert "feedstock:write" in refused.err
    monkeypatch.delenv("FORGEYARD_TOKEN")
    assert forgeyard("token", "revoke", bot["id"]).code == 0
    monkeypatch.setenv("FORGEYARD_TOKEN", token)
    assert "revoked" in forgeyard("build", "x", "--no-wait").err


def test_nobody_writes_without_a_token(forgeyard: Forgeyard, yard: Path, feedstocks: Path) -> None:
    (yard / "credentials.toml").unlink()
    assert forgeyard("feedstock", "list").code == 0
    said = forgeyard("feedstock", "add", feedstocks)
    assert said.code == 3
    assert "needs a token" in said.err


def test_the_journal_shows_who_did_what(forgeyard: Forgeyard, yard: Path, feedstocks: Path) -> None:
    write_recipe(feedstocks, "alpha")
    forgeyard("feedstock", "add", feedstocks)
    entries = forgeyard("journal", "--json").data
    assert (entries[-1]["actor"], entries[-1]["action"], entries[-1]["subject"]) == (
        "ada",
        "feedstock.add",
        "feedstock:alpha",
    )
    assert "feedstock:alpha" in forgeyard("journal", "--subject", "feedstock:alpha").out


def test_openapi_needs_no_yard(forgeyard: Forgeyard, tmp_path: Path) -> None:
    document = forgeyard("openapi").data
    assert document["openapi"].startswith("3.")
    assert "/api/v1/builds" in document["paths"]


def test_doctor_is_content_with_a_new_yard(forgeyard: Forgeyard, yard: Path) -> None:
    assert forgeyard("doctor").code == 0


def test_doctor_names_a_missing_object_and_the_remedy(
    forgeyard: Forgeyard, yard: Path, feedstocks: Path
) -> None:
    write_recipe(feedstocks, "alpha")
    digest = forgeyard("feedstock", "add", feedstocks, "--json").data[0]["digest"]
    next((yard / "objects").rglob(f"*{digest[2:]}*")).unlink()
    said = forgeyard("doctor")
    assert said.code == 1
    assert digest in said.out
    assert "feedstock add" in said.out


def test_doctor_speaks_of_a_database_that_cannot_be_opened(
    forgeyard: Forgeyard, yard: Path
) -> None:
    for side in ("yard.db-wal", "yard.db-shm"):
        (yard / side).unlink(missing_ok=True)
    (yard / "yard.db").write_bytes(b"not a database at all" * 500)
    said = forgeyard("doctor", "--json")
    assert said.code == 1
    assert "database_corrupt" in [one["code"] for one in said.data]


def test_a_wrong_key_in_the_settings_is_named(forgeyard: Forgeyard, yard: Path) -> None:
    with (yard / "forgeyard.toml").open("a") as file:
        file.write("\n[limits2]\nx = 1\n")
    said = forgeyard("build", "list")
    assert said.code == 2
    assert "forgeyard.toml" in said.err
    assert "limits2" in said.err


def test_an_unreachable_server_is_unavailable(forgeyard: Forgeyard, tmp_path: Path) -> None:
    said = forgeyard("build", "list", "--server", "http://127.0.0.1:9")
    assert said.code == 4
    assert said.err.startswith("error: the server at http://127.0.0.1:9 does not answer")
