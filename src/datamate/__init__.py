"""DataMate: raw files in, clean, versioned, traceable datasets out."""

import importlib

__all__ = ["Client", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Load the client when it is first asked for: it takes a third of a second, which `datamate run` need not spend.

    By name, because an import statement here would make every package depend on the client; `__init__.pyi` has the
    types.
    """
    if name == "Client":
        return importlib.import_module("datamate.sdk.client").Client
    raise AttributeError(f"module 'datamate' has no attribute {name!r}")
