"""Connections and transactions on SQLite (WAL, one writer) and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from forgeyard.errors import Unavailable

_BUSY_MILLISECONDS = 30_000
#: Key of the advisory lock that makes writers wait for each other on PostgreSQL.
_WRITER = {"key": 0x666F726765}


class StoreUnavailable(Unavailable):
    """The database cannot be used as it is."""

    code = "database"


class Store:
    """A database of a yard.  Safe to share between threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _sqlite(url) if url.startswith("sqlite") else _postgresql(url)
        # SQLite has one writer; waiting here is fair and cheaper than its busy handler.
        self._writer = threading.RLock()
        self._listeners: list[Callable[[], None]] = []

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded database is used."""
        return self.engine.dialect.name == "sqlite"

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each writing transaction of this process."""
        self._listeners.append(listener)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction; rolled back when the block raises."""
        held = self._writer if self.is_sqlite else nullcontext()
        with held, _translated(), self.engine.begin() as connection:
            if not self.is_sqlite:
                # One writer on both databases: the journal's chain has one end.
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), _WRITER)
            yield connection
        for listener in self._listeners:
            listener()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One snapshot to read from."""
        with _translated(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.execution_options(forgeyard_read=True)
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection
            connection.rollback()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def check(self) -> list[str]:
        """What the database itself finds wrong with its file; empty when it is whole."""
        if not self.is_sqlite:
            return []
        try:
            with self.engine.connect() as connection:
                rows = connection.execute(text("PRAGMA integrity_check")).scalars().all()
        except DatabaseError as error:
            return [str(error.orig)]
        return [str(row) for row in rows if row != "ok"]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        words = str(error.orig)
        if "disk is full" in words or "disk I/O" in words or "No space left" in words:
            raise StoreUnavailable(
                f"the database could not be written: {words}",
                code="disk_full",
                hint="Free space on the disk that holds the yard; nothing was changed.",
            ) from error
        raise
    except DatabaseError as error:
        words = str(error.orig)
        if "malformed" in words or "not a database" in words:
            raise StoreUnavailable(
                f"the database is damaged: {words}",
                code="database_corrupt",
                hint="Run 'forgeyard doctor'; it says what is damaged and how to go on.",
            ) from error
        raise


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(raw: Any, _entry: ConnectionPoolEntry) -> None:
        raw.isolation_level = None  # we say BEGIN ourselves
        cursor = raw.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("forgeyard_read")
        # IMMEDIATE: a writer that begins as a reader could fail at its first write.
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _postgresql(url: str) -> Engine:
    return create_engine(url, pool_pre_ping=True, isolation_level="READ COMMITTED")


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file."""
    return f"sqlite:///{path}"
