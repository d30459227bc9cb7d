"""How the OpenAPI document describes bodies that the routes read themselves."""

from typing import Any, Final

_BINARY: Final = {"type": "string", "format": "binary"}
_FILES: Final = {"type": "object", "properties": {"files": {"type": "array", "items": _BINARY}}}

RAW_BODY: Final[dict[str, Any]] = {
    "requestBody": {"content": {"application/octet-stream": {"schema": _BINARY}}, "required": True}
}
FORM_BODY: Final[dict[str, Any]] = {
    "requestBody": {"content": {"multipart/form-data": {"schema": _FILES}}, "required": True}
}
