"""The store: tables and queries (SQLAlchemy Core) for SQLite and PostgreSQL.

A query is a plain function of a connection; whoever calls it owns the transaction.
"""
