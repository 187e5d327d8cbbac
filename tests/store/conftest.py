"""Each test of this folder runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from forgeyard.store.engine import Store, sqlite_url
from forgeyard.store.upgrade import upgrade
from postgresql import running_postgresql


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    with running_postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store whose database has no tables yet."""
    if request.param == "sqlite":
        store = Store(sqlite_url(tmp_path / "yard.db"))
    else:
        base = request.getfixturevalue("postgresql")
        name = f"t{abs(hash(request.node.nodeid))}"
        admin = create_engine(base, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        store = Store(base.replace("/postgres?", f"/{name}?"))
    yield store
    store.close()


@pytest.fixture
def store(empty_store: Store) -> Store:
    """A store with the newest schema."""
    upgrade(empty_store)
    return empty_store
