"""Who a process is: a pid alone is reused, and means nothing in another container or machine."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_GONE = ("Z", "X", "x")
"""States of a process that is over though its parent has not asked for its status (proc(5))."""


@dataclass(frozen=True)
class ProcessIdentity:
    """A process, told apart from every other one of any machine at any time.

    Args:
        host: name of its machine.
        boot: the kernel's identity of that start of the machine; empty where it tells none.
        namespace: the pid namespace, since containers of one kernel count pids apart.
        pid: its number there.
        started: its start in clock ticks since boot (proc(5), field 22); -1 where unknown.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: int


def this_process() -> ProcessIdentity:
    """Return the identity of this process."""
    return identify(os.getpid())


def identify(pid: int) -> ProcessIdentity:
    """Return the identity of the process that now has a pid here."""
    stat = _read_stat(pid)
    return ProcessIdentity(
        host=socket.gethostname(),
        boot=_read(_PROC / "sys/kernel/random/boot_id"),
        namespace=_namespace(),
        pid=pid,
        started=-1 if stat is None else stat[1],
    )


def known_dead(process: ProcessIdentity) -> bool:
    """Tell whether a process is certainly over; False wherever that cannot be known.

    It is known of a process of this machine, this boot and this pid namespace: no process has
    its pid, or one that started at another time.
    """
    here = this_process()
    if not here.boot or (here.host, here.boot, here.namespace) != (
        process.host,
        process.boot,
        process.namespace,
    ):
        return False
    stat = _read_stat(process.pid)
    return stat is None or stat[0] in _GONE or stat[1] != process.started


def _read_stat(pid: int) -> tuple[str, int] | None:
    """Return state and start of a process, None if there is none."""
    text = _read(_PROC / str(pid) / "stat")
    if not text:
        return None
    fields = text.rpartition(")")[2].split()  # its name may hold blanks and brackets
    return fields[0], int(fields[19])


def _namespace() -> str:
    try:
        return os.readlink(_PROC / "self/ns/pid")
    except OSError:
        return ""


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
