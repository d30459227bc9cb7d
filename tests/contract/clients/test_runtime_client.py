"""The typed client of the runtime service over every way to reach it; no worker runs here."""

import pytest

from datamate.clients.data_management import DataManagementClient
from datamate.clients.runtime import ENDED, RuntimeClient
from datamate.contracts.data_management.datasets import CreateDatasetRequest
from datamate.contracts.runtime.runs import CreateRunRequest, RunStatus
from datamate.core.errors import ConflictError, InvalidInputError, NotFoundError
from datamate.platform.http.in_process import InProcessTransport
from factories.calls import principal

RECIPE = "process:\n  - text_length_filter:\n      min_len: 10\n"
MISSING = "01900000-0000-7000-8000-000000000000"


@pytest.fixture
async def client(connect) -> RuntimeClient:
    return RuntimeClient(await connect("runtime"))


@pytest.fixture
async def dataset(wiring, admin) -> str:
    transport = InProcessTransport(wiring.app("data_management"), "gateway").as_principal(principal("ADMIN", admin.id))
    data = DataManagementClient(transport)
    made = await data.create_dataset(CreateDatasetRequest(name="books"))
    await data.put_file(made.id, "a.jsonl", b'{"text": "a line of text"}\n')
    return made.id


async def test_operators_are_listed_and_shown_when_asked(client):
    names = [operator.name async for operator in client.iterate_operators(page_size=4)]
    assert names == sorted(names)
    assert len(names) >= 15
    shown = await client.get_operator("text_length_filter")
    assert "min_len" in [parameter.name for parameter in shown.parameters]
    with pytest.raises(NotFoundError, match="text_length_filter"):
        await client.get_operator("text_lenght_filter")


async def test_run_is_followed_to_its_end_when_it_is_cancelled(client, dataset):
    run = await client.create_run(CreateRunRequest(recipe=RECIPE, dataset_id=dataset, output_name="clean books"))
    assert (run.status, run.version) == (RunStatus.QUEUED, 1)
    assert [item.id async for item in client.iterate_runs(dataset_id=dataset, page_size=1)] == [run.id]
    states = []
    async for state in client.watch_run(run.id):
        states.append(state.status)
        if len(states) == 1:
            await client.cancel_run(run.id)
    assert states[-1] is RunStatus.CANCELLED
    assert (await client.get_run(run.id)).status in ENDED


async def test_rows_are_withheld_when_run_has_not_ended(client, dataset):
    run = await client.create_run(CreateRunRequest(recipe=RECIPE, dataset_id=dataset))
    for rows in (client.iterate_quarantined(run.id), client.iterate_dropped(run.id)):
        with pytest.raises(ConflictError):
            await anext(rows)
    with pytest.raises(ConflictError):
        await client.list_samples(run.id)


@pytest.mark.parametrize("recipe", ["process: 7", "process:\n  - no_such_operator:\n", "process: ["])
async def test_run_is_refused_when_recipe_is_wrong(client, dataset, recipe):
    with pytest.raises(InvalidInputError):
        await client.create_run(CreateRunRequest(recipe=recipe, dataset_id=dataset))


async def test_run_is_refused_when_dataset_is_missing(client):
    with pytest.raises(NotFoundError):
        await client.create_run(CreateRunRequest(recipe=RECIPE, dataset_id=MISSING))
    with pytest.raises(NotFoundError):
        await client.get_run(MISSING)
