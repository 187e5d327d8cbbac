"""The revisions, run in order, give the tables that the code declares."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from forgeyard.errors import Unavailable
from forgeyard.store.columns import Document, Instant
from forgeyard.store.engine import Store
from forgeyard.store.tables import metadata
from forgeyard.store.upgrade import upgrade


def same_type(context: object, inspected: object, declared: object, *types: object) -> bool:
    kind = types[1]
    if isinstance(kind, Instant | Document):
        return not isinstance(types[0], type(kind.impl))
    return False


def test_revisions_equal_tables(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": same_type})
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_does_nothing(store: Store) -> None:
    upgrade(store)


def test_a_newer_schema_is_refused_with_words(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable) as caught:
        upgrade(store)
    assert caught.value.code == "schema_newer"
    assert "9999" in caught.value.message
