"""The application as a whole: its document, and the sweep that runs while it serves."""

import asyncio

from structlog.testing import capture_logs

from datamate.services.data_management import sweep
from datamate.services.data_management.sweep import Sweep


async def test_the_document_describes_every_route_once(calls):
    document = (await calls("GET", "/openapi.json")).json
    operations = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(operations) == len(set(operations)) == 30
    upload = document["paths"]["/data-management/uploads/{upload_id}/files"]
    assert set(upload["put"]["requestBody"]["content"]) == {"application/octet-stream"}
    assert set(upload["post"]["requestBody"]["content"]) == {"multipart/form-data"}


async def test_the_service_sweeps_while_it_serves_and_stops_with_it(app, store, monkeypatch):
    swept = asyncio.Event()

    async def note(_sweep: Sweep) -> None:
        swept.set()

    monkeypatch.setattr(Sweep, "sweep", note)
    async with asyncio.timeout(5), app.router.lifespan_context(app):
        await swept.wait()


async def test_a_sweep_that_fails_is_told_to_the_log_and_repeated(resources, monkeypatch):
    rounds = 0
    stop = asyncio.Event()

    async def fail(_sweep: Sweep) -> None:
        nonlocal rounds
        rounds += 1
        if rounds == 2:
            stop.set()
        raise RuntimeError

    monkeypatch.setattr(Sweep, "sweep", fail)
    monkeypatch.setattr(sweep, "INTERVAL_SECONDS", 0.01)
    with capture_logs() as logs:
        await asyncio.wait_for(Sweep(resources).run(stop), 5)
    assert [entry["event"] for entry in logs] == ["sweep_failed"] * 2
