"""What Alembic runs: on a connection that is given, inside the transaction that is open on it."""

from __future__ import annotations

from alembic import context

from storage.web_tables import complete_metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=complete_metadata,
    transactional_ddl=True,  # true of SQLite too, because the engine opens the transaction itself
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
