"""The merged document as a page to read: no script, nothing loaded from elsewhere."""

from html import escape
from typing import Final

from pydantic import JsonValue

Document = dict[str, JsonValue]

STYLE_HASH_SOURCE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
article { border-top: 1px solid #8884; padding: .6rem 0; }
code { font-size: .95em; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
.note { color: #777; }
"""

_METHODS: Final = ("get", "post", "put", "patch", "delete")


def render_page(document: Document) -> str:
    """Return the page of a merged document."""
    articles = "".join(
        _article(method, path, operation)
        for path, item in _mapping(document.get("paths")).items()
        for method in _METHODS
        if (operation := _mapping(_mapping(item).get(method)))
    )
    info = _mapping(document.get("info"))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>DataMate API</title>'
        f"<style>{STYLE_HASH_SOURCE}</style></head><body><h1>DataMate API</h1>"
        f"<p>Version {_text(info, 'version')}. {_text(info, 'description')} "
        'The same for machines: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>. Sign in with '
        "<code>POST /api/v1/auth/login</code> and send the token as <code>Authorization: Bearer …</code>.</p>"
        f"{articles}</body></html>"
    )


def _article(method: str, path: str, operation: Document) -> str:
    permissions = operation.get("x-datamate-permissions")
    needs = ", ".join(str(item) for item in permissions) if isinstance(permissions, list) else ""
    note = f"needs {escape(needs)}" if needs else "public"
    return (
        f'<article><div><span class="method">{method.upper()}</span><code>{escape(path)}</code> '
        f'<span class="note">{note}</span></div>'
        f"<div>{_text(operation, 'description') or _text(operation, 'summary')}</div></article>"
    )


def _text(source: Document, key: str) -> str:
    return escape(str(source.get(key) or ""))


def _mapping(value: JsonValue | None) -> Document:
    return value if isinstance(value, dict) else {}
