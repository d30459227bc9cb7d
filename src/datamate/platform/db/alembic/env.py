"""What Alembic runs for every schema; `datamate.platform.db.migrations` hands it the connection."""

from alembic import context
from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]
schema: str = context.config.attributes["schema"]

context.configure(connection=connection, version_table="alembic_version", version_table_schema=schema)
with context.begin_transaction():
    context.run_migrations()
