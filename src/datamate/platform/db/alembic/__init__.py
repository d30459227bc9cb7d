"""The environment that Alembic loads by path."""
