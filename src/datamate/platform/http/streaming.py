"""A streamed answer that closes its source at once when the reader leaves."""

from collections.abc import AsyncGenerator, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class ClosingStreamingResponse(StreamingResponse):
    """Starlette's streaming answer, which by itself leaves an abandoned generator to the garbage collector."""

    def __init__(
        self,
        content: AsyncGenerator[bytes, None],
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        super().__init__(content, status_code, headers, media_type)
        self._source = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks until they end or the reader leaves; then close their generator."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._source.aclose()
