"""Calls of the data_management service that tests make again and again."""

from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp

from datamate.clients.transport import TransportRequest
from datamate.platform.http.in_process import InProcessTransport
from datamate.platform.security import Principal
from factories.calls import Answer, Caller, principal

ROOT = "/data-management"
FORM = "multipart/form-data; boundary=XX"


def form(*files: tuple[str, bytes], field: str = "files") -> bytes:
    """The body of a form of files, to be sent as `FORM`."""
    parts = [
        f'--XX\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join([*parts, b"--XX--\r\n"])


class DatasetCalls(Caller):
    """One user's calls; those named after what they do expect it to succeed."""

    def __init__(self, app: ASGIApp, who: Principal | None = None, *, part: str = "gateway") -> None:
        super().__init__(app, who or principal("EDITOR", 7), part=part)
        self._streams = InProcessTransport(app, part).as_principal(who or principal("EDITOR", 7))

    async def create(self, name: str = "books", **fields: object) -> str:
        answer = await self("POST", f"{ROOT}/datasets", {"name": name, **fields})
        assert answer.status == 201, answer.body
        return answer.json["id"]

    async def dataset(self, dataset: str) -> Any:
        answer = await self("GET", f"{ROOT}/datasets/{dataset}")
        assert answer.status == 200, answer.body
        return answer.json

    async def put(self, dataset: str, path: str, content: bytes, **query: object) -> Any:
        answer = await self.try_put(dataset, path, content, **query)
        assert answer.status == 200, answer.body
        return answer.json

    async def try_put(self, dataset: str, path: str, content: bytes, **query: object) -> Answer:
        text = urlencode({"path": path, **query})
        kind = "application/octet-stream"
        return await self("PUT", f"{ROOT}/datasets/{dataset}/files?{text}", content, content_type=kind)

    async def stream(self, target: str, query: dict[str, str], body: AsyncIterator[bytes], **headers: str) -> Answer:
        """Send a PUT whose body has any size."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        request = TransportRequest("PUT", target, tuple(query.items()), fields, body, deadline_seconds=120)
        async with self._streams.send(request) as response:
            content = b"".join([chunk async for chunk in response.chunks()])
            return Answer(response.status, dict(response.headers), content)

    async def upload(self, dataset: str, files: dict[str, bytes], **commit: object) -> Any:
        """Make one version of files through an upload."""
        opened = await self("POST", f"{ROOT}/uploads", {"dataset_id": dataset})
        assert opened.status == 201, opened.body
        for path, content in files.items():
            answer = await self.put_into(opened.json["id"], path, content)
            assert answer.status == 200, answer.body
        committed = await self("POST", f"{ROOT}/uploads/{opened.json['id']}/commit", commit)
        assert committed.status == 200, committed.body
        return committed.json

    async def put_into(self, upload: str, path: str, content: bytes) -> Answer:
        kind = "application/octet-stream"
        target = f"{ROOT}/uploads/{upload}/files?{urlencode({'path': path})}"
        return await self("PUT", target, content, content_type=kind)

    async def files(self, dataset: str, **query: object) -> list[Any]:
        """Every file of a version, page by page."""
        return await self.pages(f"{ROOT}/datasets/{dataset}/files", **query)

    async def pages(self, target: str, **query: object) -> list[Any]:
        found: list[Any] = []
        while True:
            answer = await self("GET", f"{target}?{urlencode(query)}")
            assert answer.status == 200, answer.body
            found += answer.json["items"]
            if answer.json["next_cursor"] is None:
                return found
            query["cursor"] = answer.json["next_cursor"]

    async def content(self, dataset: str, file_id: str, **query: object) -> bytes:
        answer = await self("GET", f"{ROOT}/datasets/{dataset}/files/{file_id}/content?{urlencode(query)}")
        assert answer.status == 200, answer.body
        return answer.body

    async def version(self, dataset: str, version: int) -> Any:
        answer = await self("GET", f"{ROOT}/datasets/{dataset}/versions/{version}")
        assert answer.status == 200, answer.body
        return answer.json


def paths(files: Iterable[Any]) -> list[str]:
    return [file["path"] for file in files]
