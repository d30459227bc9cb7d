"""Handing one event to one subscriber: the effect and the note of it in one transaction, or a dead letter."""

from collections.abc import Iterable

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from datamate.contracts.events import Event
from datamate.core.ids import new_id
from datamate.platform.db.database import Database
from datamate.platform.events.messages import Message, readable
from datamate.platform.events.models import DeadLetterRow, InboxRow, SubscriptionRow
from datamate.platform.events.subscribers import Subscriber

_LONGEST_ERROR_CHARS = 10_000


async def deliver(database: Database, subscriber: Subscriber[Event], event: Event, *, event_id: str, name: str) -> bool:
    """Have a subscriber handle an event unless it did before, and return whether it did so now.

    Two consumers with the same event wait for each other on the inbox row; the second one finds it handled.

    Args:
        database: Where the effect goes.
        subscriber: Who handles it.
        event: What happened.
        event_id: Identity of the event.
        name: Full name of the subscriber, `service.function`.
    """
    async with database.transaction() as session:
        noted = insert(InboxRow).values(subscriber=name, event_id=event_id).on_conflict_do_nothing()
        if await session.scalar(noted.returning(InboxRow.event_id)) is None:
            return False
        await subscriber.handle(event, session)
    return True


async def bury(database: Database, message: Message, *, name: str, event_id: str | None, error: BaseException) -> None:
    """Store a message that cannot be handled as a dead letter; a second time changes nothing."""
    text = f"{type(error).__name__}: {error}"[:_LONGEST_ERROR_CHARS].replace("\x00", "\\x00")
    async with database.transaction() as session:
        await session.execute(
            insert(DeadLetterRow)
            .values(
                id=new_id(),
                subscriber=name,
                topic=message.topic,
                message_id=message.message_id,
                event_id=event_id,
                fields=readable(message.fields),
                error=text,
                attempts=message.attempts,
            )
            .on_conflict_do_nothing()
        )


async def register(database: Database, subscriptions: Iterable[tuple[str, str]]) -> None:
    """Note which subscribers exist, as (topic, full name), so that no event they still need is forgotten."""
    rows = [{"topic": topic, "subscriber": name} for topic, name in sorted(subscriptions)]
    statement = insert(SubscriptionRow).values(rows)
    async with database.transaction() as session:
        await session.execute(
            statement.on_conflict_do_update(index_elements=["topic", "subscriber"], set_={"seen_at": func.now()})
        )
