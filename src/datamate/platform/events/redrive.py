"""Another try for a dead letter, once its cause is mended."""

from sqlalchemy import func, select, update

from datamate.core.errors import NotFoundError
from datamate.platform.db.outbox import OUTBOX_CHANNEL, OutboxRow
from datamate.platform.db.session import Session
from datamate.platform.events.models import DeadLetterRow


async def redrive(session: Session, dead_letter_id: str) -> None:
    """Send the event of a dead letter again; subscribers that handled it are not bothered.

    Raises:
        NotFoundError: There is no such dead letter, or its event is unreadable or no longer kept.
    """
    letter = await session.get(DeadLetterRow, dead_letter_id)
    if letter is None:
        raise NotFoundError(f"There is no dead letter {dead_letter_id}.")
    sent = update(OutboxRow).where(OutboxRow.id == letter.event_id).values(published_at=None).returning(OutboxRow.id)
    if letter.event_id is None or await session.scalar(sent) is None:
        raise NotFoundError(f"The event of dead letter {dead_letter_id} is no longer kept, so it cannot be sent again.")
    letter.redriven_at = await session.scalar(select(func.now()))
    await session.execute(select(func.pg_notify(OUTBOX_CHANNEL, "")))
