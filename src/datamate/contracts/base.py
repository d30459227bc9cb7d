"""The two bases of wire types: what a client sends and what a service answers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


class RequestBody(BaseModel):
    """A JSON body that a client sends: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ResponseBody(BaseModel):
    """A JSON body that a service answers: frozen; a newer service may add fields that an older client ignores."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""A name that people read: 1 to 100 characters, none of them a control character."""
