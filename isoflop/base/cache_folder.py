"""Where what was got is kept: `ISOFLOP_CACHE`, else the user's cache folder."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder, which need not exist yet."""
    named = os.environ.get("ISOFLOP_CACHE")
    if named:
        return Path(named).expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "isoflop"
