"""Bring a database's schema to the newest revision."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from forgeyard.errors import Unavailable
from forgeyard.store.engine import Store

_REVISIONS = Path(__file__).parent / "revisions"


def configuration(store: Store) -> Config:
    """Alembic's configuration for this store."""
    config = Config()
    config.set_main_option("script_location", str(_REVISIONS).replace("%", "%%"))
    config.attributes["store"] = store
    return config


def upgrade(store: Store) -> None:
    """Run the revisions that the database lacks; nothing when it is up to date."""
    config = configuration(store)
    newest = ScriptDirectory.from_config(config).get_current_head()
    with store.read() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if present == newest:
        return
    known = {r.revision for r in ScriptDirectory.from_config(config).walk_revisions()}
    if present is not None and present not in known:
        raise Unavailable(
            f"the database has the schema {present}, which this version does not know",
            code="schema_newer",
            hint="Run the version of Forgeyard that made it, or a newer one.",
        )
    command.upgrade(config, "head")
