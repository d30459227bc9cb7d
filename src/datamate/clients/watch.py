"""Follows one thing of a service, such as a task, from change to change until it has ended."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from datamate.clients.caller import Call, Caller
from datamate.clients.events import follow_events
from datamate.clients.problems import UnexpectedAnswerError
from datamate.clients.transport import TransportResponse

ThingT = TypeVar("ThingT", bound=BaseModel)


async def watch(
    caller: Caller, path: str, thing_type: type[ThingT], *, has_ended: Callable[[ThingT], bool]
) -> AsyncGenerator[ThingT, None]:
    """Yield a thing as it is now and at every change, until it has ended, across broken connections.

    Args:
        caller: Sends the calls.
        path: Where its event stream is; the data of each event is the whole thing.
        thing_type: Its wire type.
        has_ended: Tells whether no further change can come.

    Raises:
        DatamateError: The service refused the stream, or could not be reached for about a minute.
    """

    def open_stream(last_event_id: str) -> AbstractAsyncContextManager[TransportResponse]:
        headers = {"accept": "text/event-stream"}
        if last_event_id:
            headers["last-event-id"] = last_event_id
        return caller.open(Call("GET", path, headers=headers))

    async with aclosing(follow_events(open_stream)) as events:
        async for event in events:
            try:
                thing = thing_type.model_validate_json(event.data)
            except ValidationError:
                raise UnexpectedAnswerError(f"GET {path} sent an event that is not a {thing_type.__name__}.") from None
            yield thing
            if has_ended(thing):
                return
