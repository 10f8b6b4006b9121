"""The only home of SQLAlchemy: schema, migrations, and one plain async function per query."""
