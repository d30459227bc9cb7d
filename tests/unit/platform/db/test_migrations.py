"""Migrations: the tables they make are those of the models, and any number of processes may run them at once."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from datamate.app.schema_document import schema_bases
from datamate.platform.db import schema_metadata
from datamate.platform.db.database import connect
from datamate.platform.db.migrations import PLATFORM_MIGRATIONS, drift, pending, upgrade
from factories.databases import migration_folders

FIRST = """
import sqlalchemy as sa
from alembic import op

revision = "shop_0001"
down_revision = None

def upgrade():
    op.create_table("item", sa.Column("id", sa.Integer(), primary_key=True), schema="shop")
"""
BROKEN = """
from alembic import op

revision = "shop_0002"
down_revision = "shop_0001"

def upgrade():
    op.execute("CREATE TABLE shop.half_made ()")
    op.execute("SELECT nonsense")
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    folder = tmp_path / "100% migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "versions" / "v0001_item.py").write_text(FIRST)
    return folder


@pytest.mark.parametrize("schema", list(migration_folders()))
async def test_models_equal_tables_when_migrated(database_url: str, schema: str) -> None:
    assert await drift(database_url, schema_bases()[schema].metadata) == []


async def test_drift_names_the_column_when_a_model_is_ahead(database_url: str) -> None:
    class Base(DeclarativeBase):
        metadata = schema_metadata("platform")

    class InboxRow(Base):
        __tablename__ = "inbox"
        subscriber: Mapped[str] = mapped_column(primary_key=True)
        colour: Mapped[str]

    assert any("add_column" in line and "colour" in line for line in await drift(database_url, Base.metadata))


async def test_upgrade_applies_once_when_many_processes_start_together(empty_database_url: str, scripts: Path) -> None:
    assert await pending(empty_database_url, "shop", scripts) == ("shop_0001",)

    await asyncio.gather(*(upgrade(empty_database_url, "shop", scripts) for _ in range(5)))

    assert await pending(empty_database_url, "shop", scripts) == ()


async def test_schemas_keep_versions_of_their_own_when_they_share_a_database(
    empty_database_url: str, scripts: Path
) -> None:
    await upgrade(empty_database_url, "shop", scripts)
    await upgrade(empty_database_url, "platform", PLATFORM_MIGRATIONS)

    connection = await connect(empty_database_url)
    assert await connection.fetchval("SELECT version_num FROM shop.alembic_version") == "shop_0001"
    assert await connection.fetchval("SELECT version_num FROM platform.alembic_version") == "platform_0001"
    await connection.close()


async def test_upgrade_leaves_nothing_behind_when_a_revision_fails(empty_database_url: str, scripts: Path) -> None:
    (scripts / "versions" / "v0002_broken.py").write_text(BROKEN)

    with pytest.raises(Exception, match="nonsense"):
        await upgrade(empty_database_url, "shop", scripts)

    connection = await connect(empty_database_url)
    assert await connection.fetchval("SELECT to_regclass('shop.half_made')") is None
    await connection.close()
    (scripts / "versions" / "v0002_broken.py").unlink()
    await upgrade(empty_database_url, "shop", scripts)
    assert await pending(empty_database_url, "shop", scripts) == ()
