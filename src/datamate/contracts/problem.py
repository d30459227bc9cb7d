"""The shape of every error answer: RFC 9457 problem details."""

from pydantic import Field

from datamate.contracts.base import ResponseBody

PROBLEM_MEDIA_TYPE = "application/problem+json"


class ProblemField(ResponseBody):
    """One field at fault."""

    field: str = Field(description="Dotted path of the field, or empty for the whole input.")
    message: str


class Problem(ResponseBody):
    """What went wrong and what to do about it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str = Field(description="Machine-readable; stable across versions.")
    trace_id: str = Field(description="Names this request in the logs.")
    errors: list[ProblemField] = Field([])
