"""Shows the operators that this installation has."""

from datamate.contracts.paging import Page
from datamate.contracts.runtime.operators import Operator, OperatorParameter
from datamate.core.errors import FieldError, InvalidInputError, NotFoundError
from datamate.core.paging import decode_cursor, encode_cursor


class OperatorNotFoundError(NotFoundError):
    """There is no operator of that name."""

    code = "operator_not_found"


def list_operators(*, kind: str | None, cursor: str | None, limit: int) -> Page[Operator]:
    """Return a page of the operators, by name."""
    # Operators bring Polars, which takes a third of a second to import; a server that shows none need not wait.
    from datamate.operators.registry import operator_names

    after = decode_cursor(cursor, kinds=(str,))
    names = [name for name in operator_names() if after is None or name > str(after[0])]
    if kind is not None:
        if kind not in {"mapper", "filter", "deduplicator"}:
            message = f"{kind!r} is not a kind; choose mapper, filter or deduplicator"
            raise InvalidInputError(f"kind: {message}.", errors=[FieldError("kind", message)])
        names = [name for name in names if name.endswith(f"_{kind}")]
    page = names[:limit]
    return Page(
        items=[_describe(name) for name in page],
        next_cursor=encode_cursor((page[-1],)) if len(names) > limit else None,
        total=len(operator_names()) if kind is None else None,
    )


def get_operator(name: str) -> Operator:
    """Return one operator.

    Raises:
        OperatorNotFoundError: There is none of that name; the message names those that come near.
    """
    from datamate.operators.errors import UnknownOperatorError  # see list_operators

    try:
        return _describe(name)
    except UnknownOperatorError as error:
        raise OperatorNotFoundError(error.detail) from None


def _describe(name: str) -> Operator:
    from datamate.operators.registry import describe, get_operator_type  # see list_operators

    described = describe(name)
    spec = get_operator_type(name).spec
    parameters = [
        OperatorParameter(
            name=parameter.name,
            type=parameter.type,
            default=parameter.default,
            minimum=parameter.minimum,
            maximum=parameter.maximum,
            description=parameter.description,
        )
        for parameter in described.parameters
    ]
    return Operator(
        name=described.name,
        version=described.version,
        kind=described.kind.value,
        summary=described.summary,
        reads=list(spec.reads),
        writes=list(spec.writes),
        parameters=parameters,
    )
