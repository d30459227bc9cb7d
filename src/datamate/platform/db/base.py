"""What the ORM rows of every PostgreSQL schema share: constraint names, and no hidden queries."""

from sqlalchemy import MetaData, event
from sqlalchemy.orm import Mapper

from datamate.core.errors import ConfigurationError

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def schema_metadata(schema: str) -> MetaData:
    """Return the metadata of one PostgreSQL schema, with predictable names for constraints and indexes.

    A service declares its base class once, in `services/<name>/models.py`:

        class Base(DeclarativeBase):
            metadata = schema_metadata("main")

    Args:
        schema: Name of the PostgreSQL schema, which is the name of the service that owns it.
    """
    return MetaData(schema=schema, naming_convention=NAMING_CONVENTION)


@event.listens_for(Mapper, "mapper_configured")
def _refuse_lazy_loading(mapper: Mapper[object], class_: type) -> None:
    """Stop the start when a relationship would send one hidden query per row."""
    for relationship in mapper.relationships:
        if relationship.lazy != "raise":
            raise ConfigurationError(
                f'{class_.__name__}.{relationship.key} loads lazily; declare relationship(..., lazy="raise").'
            )
