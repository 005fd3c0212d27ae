"""One worker a core: each pins itself to a core that no other worker of this machine has taken.

The claims are kernel locks below the temporary folder, so that two ladders on one machine share
its cores instead of meeting on the first ones, and a killed worker's core is free at once.
"""

import fcntl
import os
import tempfile
from pathlib import Path
from typing import IO

_held: list[IO[str]] = []
"""Open while this process lives: closing would give the core back."""


def claim_core() -> int | None:
    """Pin this process, and threads it starts later, to a free core; None if there is none.

    Without a free core, or where the system cannot pin, the scheduler places it as before.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    folder = Path(tempfile.gettempdir()) / f"isoflop-cores-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for core in sorted(os.sched_getaffinity(0)):
        file = (folder / str(core)).open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        _held.append(file)
        os.sched_setaffinity(0, {core})
        return core
    return None
