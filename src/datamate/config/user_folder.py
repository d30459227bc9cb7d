"""Where the client side of DataMate keeps what belongs to one person, such as a sign-in."""

import os
from pathlib import Path


def user_folder() -> Path:
    """Return the folder: `$XDG_CONFIG_HOME/datamate`, or `~/.config/datamate`; it need not exist yet."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    # The XDG specification asks to ignore a relative path.
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".config") / "datamate"
