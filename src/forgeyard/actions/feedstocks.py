"""Add, refresh and remove feedstocks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from forgeyard.actions.journalling import write_journal
from forgeyard.actions.yard import Yard
from forgeyard.errors import BadInput, NotFound, Where
from forgeyard.governance.actor import Actor
from forgeyard.governance.permission import Permission, require
from forgeyard.hosts.directories import find_recipes, pack_folder
from forgeyard.hosts.git import clone, is_git_address, redacted
from forgeyard.store import feedstocks

#: Where a feedstock may keep its recipe, as conda-forge's feedstocks do.
RECIPE_PATHS = ("recipe.yaml", "recipe/recipe.yaml")


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """A feedstock that was added, or looked at again."""

    name: str
    digest: str
    #: Its files are other than before.
    changed: bool
    origin: str


def add_feedstock(yard: Yard, actor: Actor, origin: str) -> list[Added]:
    """Add the feedstock, or all those, that ``origin`` holds: a folder or a git address.

    Adding one again brings it up to date.
    """
    require(actor, Permission.FEEDSTOCK_WRITE)
    if is_git_address(origin):
        with tempfile.TemporaryDirectory(dir=yard.folder("work")) as scratch:
            tree = Path(scratch) / "tree"
            commit = clone(origin, tree)
            name = origin.rstrip("/").removesuffix(".git").rsplit("/", 1)[-1].rsplit(":", 1)[-1]
            return _add_all(yard, actor, tree, redacted(origin), commit, name)
    folder = Path(origin).expanduser()
    if not folder.is_dir():
        raise NotFound(
            f"{origin} is neither a folder nor the address of a git repository",
            code="origin_unknown",
            hint="Give the folder that holds recipe.yaml.",
        )
    folder = folder.resolve()
    return _add_all(yard, actor, folder, str(folder), None, folder.name)


def refresh_feedstocks(yard: Yard, actor: Actor, rows: list[Any]) -> None:
    """Look again at feedstocks whose origin is a folder, so that an edited recipe counts."""
    for row in rows:
        folder = Path(row.origin) / row.origin_path
        if row.commit is None and folder.is_dir():
            _add(yard, actor, folder, row.origin, row.origin_path, None, row.name)


def remove_feedstock(yard: Yard, actor: Actor, name: str) -> None:
    """Forget a feedstock; what it published stays, the names of its outputs are free again."""
    with yard.store.write() as connection:
        row = feedstocks.by_name(connection, name)
        if row is None:
            raise NotFound(f"there is no feedstock {name}", code="feedstock_unknown")
        require(actor, Permission.FEEDSTOCK_WRITE, row.maintainers)
        feedstocks.remove(connection, row.id, yard.now())
        write_journal(connection, yard.now(), actor, "feedstock.remove", f"feedstock:{name}")


def _add_all(
    yard: Yard, actor: Actor, tree: Path, origin: str, commit: str | None, name: str
) -> list[Added]:
    if any((tree / path).is_file() for path in RECIPE_PATHS):
        return [_add(yard, actor, tree, origin, ".", commit, name)]
    folders = find_recipes(tree)
    if not folders:
        raise BadInput(
            f"no recipe.yaml in {origin}",
            code="recipe_missing",
            hint="A feedstock is a folder with a recipe.yaml (v1) in it or in its 'recipe' folder.",
        )
    return [
        _add(yard, actor, folder, origin, str(folder.relative_to(tree)), commit, folder.name)
        for folder in folders
    ]


def _add(
    yard: Yard,
    actor: Actor,
    folder: Path,
    origin: str,
    origin_path: str,
    commit: str | None,
    name: str,
) -> Added:
    name = name.removesuffix("-feedstock")
    recipe_path = next(path for path in RECIPE_PATHS if (folder / path).is_file())
    archive = pack_folder(folder)
    with yard.store.read() as connection:
        before = feedstocks.any_by_name(connection, name)
    if before is not None and before.removed_at is None and before.digest == archive.digest:
        return Added(name=name, digest=archive.digest, changed=False, origin=origin)
    if before is not None and before.removed_at is None:
        require(actor, Permission.FEEDSTOCK_WRITE, before.maintainers)
    maintainers = _maintainers(folder / recipe_path, recipe_path)
    yard.objects.put_bytes(archive.data)
    now = yard.now()
    with yard.store.write() as connection:
        feedstocks.put(
            connection,
            before.id if before else None,
            **({} if before else {"id": yard.new_id("f"), "created_at": now}),
            name=name,
            origin=origin,
            origin_path=origin_path,
            commit=commit,
            digest=archive.digest,
            recipe_path=recipe_path,
            maintainers=maintainers,
            added_by=actor.name,
            updated_at=now,
            removed_at=None,
        )
        write_journal(
            connection,
            now,
            actor,
            "feedstock.update" if before else "feedstock.add",
            f"feedstock:{name}",
            origin=origin,
            commit=commit,
            digest=archive.digest,
        )
    return Added(name=name, digest=archive.digest, changed=True, origin=origin)


def _maintainers(recipe: Path, shown: str) -> list[str]:
    """``extra.recipe-maintainers``; the only part of a recipe that is read before rendering."""
    try:
        document = YAML(typ="safe", pure=True).load(recipe.read_text())
    except MarkedYAMLError as error:
        mark = error.problem_mark
        raise BadInput(
            f"not valid YAML: {error.problem or error.context}",
            code="recipe_yaml",
            where=Where(
                file=f"{recipe.parent.name}/{shown}" if shown == "recipe.yaml" else shown,
                line=mark.line + 1 if mark else None,
                column=mark.column + 1 if mark else None,
            ),
            hint="Check indentation, quotes and brackets at that line and the one before.",
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput(
            "the recipe is not UTF-8 text", code="recipe_yaml", where=Where(file=shown)
        ) from error
    if not isinstance(document, dict):
        raise BadInput(
            "the recipe is not a mapping", code="recipe_yaml", where=Where(file=shown, line=1)
        )
    extra = document.get("extra")
    named = extra.get("recipe-maintainers") if isinstance(extra, dict) else None
    return [str(name) for name in named] if isinstance(named, list) else []
