"""The base of every event."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field


class Event(BaseModel):
    """Something that happened, told once to whoever subscribes.

    Class attributes:
        topic: `<entity>.<past tense>`, the name of its Redis stream.
        schema_version: Raised when the fields change in a way that an older handler cannot read.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[str]
    schema_version: ClassVar[int] = 1

    aggregate_id: str = Field(description="Identifier of the thing it happened to.")
    aggregate_version: int = Field(ge=0, description="Grows with every event of that thing; handlers ignore the older.")
