"""Finds the dataset that the caller means: by id, by name, or as an object at hand."""

import difflib
from uuid import UUID

from datamate.clients.data_management import DataManagementClient
from datamate.contracts.data_management.datasets import Dataset
from datamate.core.errors import NotFoundError

DatasetReference = Dataset | str
"""A dataset, its id, or its name."""


async def find_dataset(client: DataManagementClient, reference: DatasetReference) -> Dataset:
    """Return a dataset as it is now.

    Raises:
        NotFoundError: There is none; the message shows names that come near.
    """
    if isinstance(reference, Dataset):
        return await client.get_dataset(reference.id)
    if _is_id(reference):
        return await client.get_dataset(reference)
    names = []
    async for dataset in client.iterate_datasets(page_size=1_000):
        if dataset.name == reference:
            return dataset
        names.append(dataset.name)
    near = difflib.get_close_matches(reference, names, n=3)
    advice = (
        f"Did you mean {' or '.join(repr(name) for name in near)}?" if near else "`datamate datasets list` shows all."
    )
    raise NotFoundError(f"There is no dataset '{reference}'. {advice}", code="dataset_not_found")


async def find_dataset_id(client: DataManagementClient, reference: DatasetReference) -> str:
    """Return the id of a dataset, without asking the server when it is at hand."""
    if isinstance(reference, Dataset):
        return reference.id
    return reference if _is_id(reference) else (await find_dataset(client, reference)).id


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
