"""Operators as the catalogue shows them."""

from pydantic import Field, JsonValue

from datamate.contracts.base import ResponseBody


class OperatorParameter(ResponseBody):
    """One parameter of an operator."""

    name: str
    type: str
    default: JsonValue = None
    minimum: float | None = None
    maximum: float | None = None
    choices: list[JsonValue] | None = None
    description: str


class Operator(ResponseBody):
    """One operator."""

    name: str
    version: int
    kind: str = Field(description="mapper, filter or deduplicator")
    summary: str
    reads: list[str]
    writes: list[str]
    parameters: list[OperatorParameter]
