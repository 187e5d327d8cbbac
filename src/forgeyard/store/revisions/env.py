"""Alembic's entry: runs revisions inside one writing transaction of the store."""

from __future__ import annotations

from alembic import context

from forgeyard.store.engine import Store
from forgeyard.store.tables import metadata

store: Store = context.config.attributes["store"]
with store.write() as connection:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=False)
    context.run_migrations()
