"""The steps from one schema to the next, run by Alembic at start (see storage/migrate.py)."""
