"""Makes a wire type from what the caller gave, and says in plain words what does not fit."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from datamate.core.errors import FieldError, InvalidInputError

RequestT = TypeVar("RequestT", bound=BaseModel)


def make_request(request_type: type[RequestT], values: Mapping[str, object]) -> RequestT:
    """Return a request, checked before it travels.

    Raises:
        InvalidInputError: Values do not fit; `errors` names each field.
    """
    try:
        return request_type.model_validate(dict(values))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        errors = [FieldError(".".join(str(part) for part in item["loc"]), item["msg"]) for item in found]
        listing = "; ".join(f"{item.field or 'input'}: {item.message}" for item in errors)
        raise InvalidInputError(f"The input does not fit. {listing}", errors=errors) from None
