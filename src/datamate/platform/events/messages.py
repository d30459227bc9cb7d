"""How an event travels in a Redis stream, and what a consumer does not accept."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import orjson
from pydantic import JsonValue, ValidationError
from redis.typing import EncodableT, FieldT

from datamate.contracts.events import Event
from datamate.core.errors import DatamateError

Fields = dict[bytes, bytes]


class MalformedEventError(DatamateError):
    """A message of the stream is no event that this release can read."""

    code = "malformed_event"


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of a stream as a consumer got it.

    Attributes:
        topic: Name of the stream.
        message_id: Id in the stream.
        fields: What was added; empty when the entry was trimmed away meanwhile.
        attempts: How often it was delivered, this time included.
    """

    topic: str
    message_id: str
    fields: Fields
    attempts: int

    @property
    def aggregate(self) -> bytes:
        """What it is about; messages about the same thing are handled in order."""
        return self.fields.get(b"aggregate", self.message_id.encode())


@dataclass(frozen=True, slots=True)
class Envelope:
    """A readable message: the event's identity and its fields."""

    event_id: str
    schema_version: int
    payload: bytes

    def open(self, event: type[Event]) -> Event:
        """Return the event.

        Raises:
            MalformedEventError: A newer release wrote it, or its fields do not fit.
        """
        if self.schema_version > event.schema_version:
            raise MalformedEventError(
                f"{event.topic} {self.event_id} has version {self.schema_version}; this release reads up to "
                f"{event.schema_version}."
            )
        try:
            return event.model_validate_json(self.payload)
        except ValidationError as error:
            faults = "; ".join(f"{fault['loc']}: {fault['msg']}" for fault in error.errors(include_url=False))
            raise MalformedEventError(f"{event.topic} {self.event_id} does not fit: {faults}") from error


class PendingEvent(NamedTuple):
    """An event as the outbox holds it."""

    id: str
    topic: str
    version: int
    aggregate_id: str
    payload: dict[str, JsonValue]


def encode(event: PendingEvent) -> dict[FieldT, EncodableT]:
    """Return the fields of the stream entry that carries an event."""
    return {
        "id": event.id,
        "version": event.version,
        "aggregate": event.aggregate_id,
        "payload": orjson.dumps(event.payload),
    }


def decode(topic: str, fields: Fields) -> Envelope:
    """Return the envelope in a stream entry.

    Raises:
        MalformedEventError: It lacks a field, or one is not what it should be.
    """
    try:
        event_id = str(UUID(fields[b"id"].decode("ascii")))
        return Envelope(event_id, int(fields[b"version"]), fields[b"payload"])
    except (KeyError, ValueError) as error:
        raise MalformedEventError(f"A message of {topic} is no event: {error!r}.") from error


def readable(fields: Fields) -> dict[str, str]:
    """Return the fields as text that PostgreSQL can store, whatever bytes they are."""
    return {_text(name): _text(value) for name, value in fields.items()}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
