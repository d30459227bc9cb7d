"""Writes docs/database-schema.md from the models of the platform and of every service, or checks that it is current."""

import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from sqlalchemy.orm import DeclarativeBase

from datamate import services
from datamate.platform.db.platform_base import PLATFORM_SCHEMA, PlatformBase
from datamate.platform.db.schema_document import render_schema_document

DOCUMENT = Path("docs/database-schema.md")
_PLATFORM_MODELS = ("db.outbox", "events.models", "tasks.checkpoint", "tasks.models")


def schema_bases() -> dict[str, type[DeclarativeBase]]:
    """Return the base class of the rows of each schema, with all its models imported."""
    for name in _PLATFORM_MODELS:
        import_module(f"datamate.platform.{name}")
    bases: dict[str, type[DeclarativeBase]] = {PLATFORM_SCHEMA: PlatformBase}
    for module in walk_packages(services.__path__, f"{services.__name__}."):
        if module.name.endswith(".models"):
            base = getattr(import_module(module.name), "Base", None)
            if base is not None:
                bases.setdefault(base.metadata.schema, base)
    return bases


def main(arguments: list[str]) -> int:
    """Write the document, or with `--check` say whether it is current. Runs in the root of the repository."""
    expected = render_schema_document(list(schema_bases().values()))
    if "--check" in arguments:
        current = DOCUMENT.read_text("utf-8") if DOCUMENT.exists() else ""
        if current != expected:
            sys.stderr.write(f"{DOCUMENT} does not describe the models any more; run `make docs`.\n")
            return 1
        return 0
    DOCUMENT.write_text(expected, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
