"""Datasets, tags and the running totals."""

from collections.abc import AsyncGenerator

from datamate.clients.caller import Call
from datamate.clients.data_management.part import ClientPart, dataset_path
from datamate.clients.pages import iterate_pages
from datamate.contracts.data_management.datasets import (
    CreateDatasetRequest,
    Dataset,
    DatasetType,
    UpdateDatasetRequest,
)
from datamate.contracts.data_management.tags import PutTagRequest, Statistics, Tag
from datamate.contracts.paging import Page
from datamate.core.paging import DEFAULT_PAGE_SIZE


class DatasetCalls(ClientPart):
    """Calls of datasets."""

    async def list_datasets(
        self,
        *,
        tag: str | None = None,
        dataset_type: DatasetType | None = None,
        created_by: str | None = None,
        cursor: str | None = None,
        limit: int = DEFAULT_PAGE_SIZE,
    ) -> Page[Dataset]:
        """Return a page of datasets, newest first."""
        query = {"tag": tag, "type": dataset_type, "created_by": created_by, "cursor": cursor, "limit": limit}
        return await self._caller.fetch(Call("GET", "/data-management/datasets", query), Page[Dataset])

    def iterate_datasets(
        self,
        *,
        tag: str | None = None,
        dataset_type: DatasetType | None = None,
        created_by: str | None = None,
        page_size: int = 200,
    ) -> AsyncGenerator[Dataset, None]:
        """Yield every dataset, newest first."""
        return iterate_pages(
            lambda cursor: self.list_datasets(
                tag=tag, dataset_type=dataset_type, created_by=created_by, cursor=cursor, limit=page_size
            )
        )

    async def create_dataset(self, request: CreateDatasetRequest) -> Dataset:
        """Make an empty dataset.

        Raises:
            ConflictError: Another dataset has this name.
        """
        return await self._caller.fetch(Call("POST", "/data-management/datasets", body=request), Dataset)

    async def get_dataset(self, dataset_id: str) -> Dataset:
        """Return a dataset as it is at its newest version.

        Raises:
            NotFoundError: There is none with this id.
        """
        return await self._caller.fetch(Call("GET", dataset_path(dataset_id)), Dataset)

    async def update_dataset(self, dataset_id: str, request: UpdateDatasetRequest) -> Dataset:
        """Change the name, the description or the tags; fields left out stay as they are."""
        return await self._caller.fetch(Call("PATCH", dataset_path(dataset_id), body=request), Dataset)

    async def delete_dataset(self, dataset_id: str) -> None:
        """Delete a dataset; only its owner and administrators may."""
        await self._caller.send(Call("DELETE", dataset_path(dataset_id)))

    async def list_tags(self, *, cursor: str | None = None, limit: int = DEFAULT_PAGE_SIZE) -> Page[Tag]:
        """Return a page of tags, by name."""
        return await self._caller.fetch(
            Call("GET", "/data-management/tags", {"cursor": cursor, "limit": limit}), Page[Tag]
        )

    def iterate_tags(self, *, page_size: int = 200) -> AsyncGenerator[Tag, None]:
        """Yield every tag, by name."""
        return iterate_pages(lambda cursor: self.list_tags(cursor=cursor, limit=page_size))

    async def put_tag(self, request: PutTagRequest) -> Tag:
        """Make a tag, or change its colour."""
        return await self._caller.fetch(Call("PUT", "/data-management/tags", body=request), Tag)

    async def delete_tag(self, name: str) -> None:
        """Remove a tag that no dataset carries."""
        await self._caller.send(Call("DELETE", "/data-management/tags", {"name": name}))

    async def get_statistics(self) -> Statistics:
        """Return how many datasets, files and bytes there are."""
        return await self._caller.fetch(Call("GET", "/data-management/statistics"), Statistics)
