"""The pool and its two scopes: what is committed, what is refused, what a caller is told when PostgreSQL is away."""

import asyncio
import time

import pytest
from sqlalchemy import Column, ForeignKey, Integer, Table, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, configure_mappers, mapped_column, relationship

from datamate.config.database import DatabaseSettings
from datamate.core.errors import ConfigurationError, InvalidInputError, UnavailableError
from datamate.core.ids import new_id
from datamate.platform.db import Database, Session, schema_metadata
from datamate.platform.db.database import address
from datamate.platform.db.errors import DatabaseBusyError
from datamate.platform.db.outbox import OutboxRow
from datamate.platform.events.models import InboxRow
from factories.engines import PostgresEngine
from factories.events import order


async def notes(database: Database) -> int:
    async with database.reader() as session:
        return (await session.execute(select(func.count()).select_from(InboxRow))).scalar_one()


def note() -> InboxRow:
    return InboxRow(subscriber="test", event_id=new_id())


async def test_rows_are_there_when_the_block_ends(database: Database) -> None:
    async with database.transaction() as session:
        session.add(note())
    assert await notes(database) == 1


async def test_rows_are_gone_when_the_block_raises(database: Database) -> None:
    with pytest.raises(KeyError):
        await _add_and_raise(database)
    assert await notes(database) == 0


async def _add_and_raise(database: Database) -> None:
    async with database.transaction() as session:
        session.add(note())
        await session.flush()
        raise KeyError


async def test_rows_are_gone_when_the_block_is_cancelled(database: Database) -> None:
    inside = asyncio.Event()

    async def add_and_wait() -> None:
        async with database.transaction() as session:
            session.add(note())
            await session.flush()
            inside.set()
            await asyncio.Event().wait()

    adding = asyncio.create_task(add_and_wait())
    await inside.wait()
    adding.cancel()
    await asyncio.gather(adding, return_exceptions=True)
    assert await notes(database) == 0


async def test_hooks_run_around_the_commit_when_it_succeeds(database: Database) -> None:
    seen: list[tuple[str, int]] = []

    async def look(when: str) -> None:
        seen.append((when, await notes(database)))

    async with database.transaction() as session:
        session.add(note())
        session.before_commit(lambda: look("before"))
        session.after_commit(lambda: look("after"))
    assert seen == [("before", 0), ("after", 1)]


async def test_nothing_is_committed_when_a_hook_before_it_raises(database: Database) -> None:
    async def refuse() -> None:
        raise KeyError

    async def add(session: Session) -> None:
        session.add(note())
        session.before_commit(refuse)

    with pytest.raises(KeyError):
        await _in_transaction(database, add)
    assert await notes(database) == 0


async def _in_transaction(database: Database, act) -> None:
    async with database.transaction() as session:
        await act(session)


async def test_read_session_refuses_rows_when_they_are_added(database: Database) -> None:
    async with database.reader() as session:
        with pytest.raises(TypeError, match="InboxRow was added to a read session"):
            session.add(note())
        with pytest.raises(TypeError, match="OutboxRow was added to a read session"):
            session.publish(order())


async def test_read_session_sees_each_commit_when_it_stays_open(database: Database) -> None:
    async with database.reader() as session:
        count = select(func.count()).select_from(OutboxRow)
        assert await session.scalar(count) == 0
        async with database.transaction() as other:
            other.publish(order())
        assert await session.scalar(count) == 1


async def test_integrity_errors_reach_the_caller_when_a_constraint_is_violated(database: Database) -> None:
    row = note()

    async def add_twice(session: Session) -> None:
        for _ in range(2):
            session.add(InboxRow(subscriber=row.subscriber, event_id=row.event_id))
            await session.flush()
            session.expunge_all()

    with pytest.raises(IntegrityError):
        await _in_transaction(database, add_twice)


@pytest.mark.parametrize(
    ("statement", "error", "words"),
    [
        ('SELECT \'{"a": "\\u0000"}\'::jsonb', InvalidInputError, "NUL"),
        ("DO $$ BEGIN RAISE 'x' USING ERRCODE = '40P01'; END $$", DatabaseBusyError, "same rows"),
        ("DO $$ BEGIN RAISE 'x' USING ERRCODE = '53300'; END $$", UnavailableError, "full"),
        ("SELECT pg_terminate_backend(pg_backend_pid())", UnavailableError, "try again"),
    ],
)
async def test_failure_has_a_meaning_when_postgresql_refuses(
    database: Database, statement: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        await _in_transaction(database, lambda session: session.execute(text(statement)))
    assert await notes(database) == 0  # the pool works on


async def test_caller_is_told_when_no_connection_comes_free(database_url: str) -> None:
    settings = DatabaseSettings(pool_max_connections=1, pool_kept_connections=1, pool_wait_seconds=0.1)
    database = Database(settings, database_url)
    async with database.reader() as session:
        await session.execute(text("SELECT 1"))
        started = time.monotonic()
        with pytest.raises(UnavailableError, match="All database connections"):
            await notes(database)
        assert time.monotonic() - started < 2
    assert await notes(database) == 0
    await database.close()


async def test_pool_keeps_to_its_limit_when_many_ask(database_url: str) -> None:
    database = Database(DatabaseSettings(pool_max_connections=3, pool_kept_connections=0), database_url)

    async def hold() -> int:
        async with database.reader() as session:
            await session.execute(text("SELECT pg_sleep(0.02)"))
            count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
            return (await session.execute(text(count))).scalar_one()

    assert max(await asyncio.gather(*(hold() for _ in range(20)))) <= 3
    await database.close()


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("postgresql://u:secret@127.0.0.1:1/d", UnavailableError, r"127\.0\.0\.1:1/d does not answer"),
        ("postgresql://u:secret@/d?host=/nowhere", UnavailableError, "/nowhere/d does not answer"),
        ("mysql://u:secret@127.0.0.1/d", ConfigurationError, "not usable"),
    ],
)
async def test_caller_is_told_where_when_postgresql_cannot_be_reached(
    url: str, error: type[Exception], words: str
) -> None:
    database = Database(DatabaseSettings(), url)
    with pytest.raises(error, match=words) as raised:
        await notes(database)
    assert "secret" not in str(raised.value)


async def test_caller_is_told_when_the_database_does_not_exist(postgres_engine: PostgresEngine) -> None:
    database = Database(DatabaseSettings(), postgres_engine.url("no_such_database"))
    with pytest.raises(ConfigurationError, match=r'"no_such_database" does not exist. Check DATAMATE_DATABASE__URL'):
        await notes(database)


async def test_connections_are_replaced_when_postgresql_restarts(
    database: Database, postgres_engine: PostgresEngine
) -> None:
    assert await notes(database) == 0
    postgres_engine.stop()
    try:
        with pytest.raises(UnavailableError):
            await notes(database)
    finally:
        postgres_engine.start()
    await asyncio.sleep(0.05)
    assert await notes(database) == 0


def test_password_is_hidden_when_an_address_is_shown() -> None:
    assert address("postgresql://u:p@h:5/d?password=q&host=/run") == "/run/d"
    assert address("postgresql://u:p@h:5/d") == "h:5/d"


def test_start_is_refused_when_a_relationship_loads_lazily() -> None:
    class Base(DeclarativeBase):
        metadata = schema_metadata("shop")

    class Order(Base):
        __tablename__ = "order"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Line(Base):
        __tablename__ = "line"
        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int] = mapped_column(ForeignKey("shop.order.id"))
        order: Mapped[Order] = relationship()

    try:
        with pytest.raises(ConfigurationError, match=r"Line\.order loads lazily"):
            configure_mappers()
    finally:
        Base.registry.dispose()


def test_constraints_are_named_when_the_model_does_not_name_them() -> None:
    metadata = schema_metadata("shop")
    table = Table("line", metadata, Column("id", Integer, primary_key=True), Column("code", Integer, unique=True))
    assert table.primary_key.name == "pk_line"
    assert {constraint.name for constraint in table.constraints} == {"pk_line", "uq_line_code"}
