"""Alembic's entry: runs the migrations on the connection that ledger.adapters.sql_engine.migrate hands over."""

from __future__ import annotations

from alembic import context

from ledger.adapters.sql_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
