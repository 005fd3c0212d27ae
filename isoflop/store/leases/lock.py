"""One writer at a time: a kernel lock that dies with its holder.

flock, never a pid file alone: a pid is reused, a lock file outlives a killed process. The pid is
written for the message only.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isoflop.base.errors import IsoflopError


@contextmanager
def exclusive(path: Path, what: str, *, wait_seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock `path` while the block runs.

    Args:
        path: the lock file, created if absent and left behind.
        what: named in the error, e.g. "study demo".
        wait_seconds: how long to wait for another holder to go.

    Raises:
        IsoflopError: another process holds it; names its pid.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        _acquire(file.fileno(), path, what, time.monotonic() + wait_seconds)
        os.truncate(path, 0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _acquire(descriptor: int, path: Path, what: str, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= deadline:
                holder = path.read_text(errors="replace").strip() or "unknown"
                raise IsoflopError(
                    f"{what} is being written by another process (pid {holder}); "
                    "wait for it or stop it"
                ) from None
        time.sleep(0.05)
