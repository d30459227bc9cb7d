"""How a route says what bodies it takes, before anything of the body is read."""

from dataclasses import dataclass

from fastapi import Request, params

from datamate.platform.http.served_request import SERVED_REQUEST_SCOPE_KEY, ServedRequest


@dataclass(frozen=True, slots=True)
class _BodyLimit:
    max_bytes: int | None

    async def __call__(self, request: Request) -> None:
        served = request.scope[SERVED_REQUEST_SCOPE_KEY]
        if isinstance(served, ServedRequest):
            served.max_body_bytes = self.max_bytes
            served.reads_json = False


def raw_body(max_bytes: int | None) -> params.Depends:
    """Return what goes into the `dependencies` of a route that reads `request.stream()` itself.

    Args:
        max_bytes: Larger bodies end in a 413; None takes any size.
    """
    return params.Depends(_BodyLimit(max_bytes))
