"""Sessions as FastAPI dependencies: a client hears of success only after the commit."""

from types import SimpleNamespace

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text

from datamate.core.ids import new_id
from datamate.platform.db import Database, ReadSession, WriteSession
from datamate.platform.events.models import InboxRow


@pytest.fixture
def app(database: Database) -> FastAPI:
    app = FastAPI()
    app.state.resources = SimpleNamespace(database=database)

    @app.post("/notes", status_code=201)
    async def add(session: WriteSession, event_id: str | None = None) -> dict[str, str]:
        session.add(InboxRow(subscriber="test", event_id=event_id or new_id()))
        return {"status": "added"}

    @app.post("/broken", status_code=201)
    async def add_and_fail(session: WriteSession) -> None:
        session.add(InboxRow(subscriber="test", event_id=new_id()))
        await session.flush()
        raise LookupError

    @app.get("/notes")
    async def count(session: ReadSession) -> int:
        return (await session.execute(select(func.count()).select_from(InboxRow))).scalar_one()

    return app


async def request(app: FastAPI, method: str, path: str, query: str = "") -> tuple[int, bytes]:
    """Call the application as a server would, and return the status and the body; 500 when it raises."""
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": []}
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b""}

    async def send(message: dict) -> None:
        sent.append(message)

    try:
        await app(scope, receive, send)
    except Exception:  # noqa: BLE001 - a server answers 500 to any of them
        assert sent == [] or sent[0]["status"] == 500
        return 500, b""
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


async def test_rows_are_committed_when_the_response_is_sent(app: FastAPI) -> None:
    assert (await request(app, "POST", "/notes"))[0] == 201
    assert await request(app, "GET", "/notes") == (200, b"1")


async def test_rows_are_gone_when_the_route_raises(app: FastAPI) -> None:
    assert (await request(app, "POST", "/broken"))[0] == 500
    assert await request(app, "GET", "/notes") == (200, b"0")


async def test_answer_is_500_and_never_201_when_the_commit_fails(app: FastAPI, database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(
            text("ALTER TABLE platform.inbox ADD CONSTRAINT late UNIQUE (event_id) DEFERRABLE INITIALLY DEFERRED")
        )
    try:
        event_id = new_id()
        assert (await request(app, "POST", "/notes", f"event_id={event_id}"))[0] == 201
        async with database.transaction() as session:
            await session.execute(text("UPDATE platform.inbox SET subscriber = 'other'"))
        assert (await request(app, "POST", "/notes", f"event_id={event_id}"))[0] == 500
        assert await request(app, "GET", "/notes") == (200, b"1")
    finally:
        async with database.transaction() as session:
            await session.execute(text("ALTER TABLE platform.inbox DROP CONSTRAINT late"))
