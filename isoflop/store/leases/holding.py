"""Who holds a rung: what its lease.json says."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.store.document import Kinds, read_document
from isoflop.store.leases.process import ProcessIdentity, known_dead

LEASE_SECONDS = 60.0
"""How long a heartbeat may stand still before another machine may take over."""


@dataclass(frozen=True)
class Holding:
    """What `lease.json` says.

    Args:
        token: grows by one with every claim.
        beat: heartbeats of this claim.
        owner: a random name of the claim, empty when it was given back.
        process: who claimed.
        seconds: its lease time.
    """

    token: int
    beat: int
    owner: str
    process: ProcessIdentity | None
    seconds: float

    @property
    def free(self) -> bool:
        """Whether it was given back, or its holder is certainly dead."""
        return not self.owner or (self.process is not None and known_dead(self.process))

    def describe(self) -> str:
        """Return who holds it, in words."""
        if self.process is None:
            return "nobody"
        return f"pid {self.process.pid} on {self.process.host}"


def read_holding(folder: Path) -> Holding:
    """Read who holds a folder.

    Raises:
        InputError: its lease.json is damaged.
    """
    path = folder / "lease.json"
    if not path.exists():
        return Holding(0, 0, "", None, LEASE_SECONDS)
    remedy = "stop every runner of this study and delete it"
    document = read_document(path, _NEEDED, remedy)
    process = document["process"]
    return Holding(
        document["token"],
        document["beat"],
        document["owner"],
        None if process is None else _process(process),
        document["seconds"],
    )


_NEEDED: Kinds = {
    "token": int,
    "beat": int,
    "owner": str,
    "process": (dict, type(None)),
    "seconds": (int, float),
}


def _process(row: dict[str, Any]) -> ProcessIdentity:
    known = ("host", "boot", "namespace", "pid", "started")
    return ProcessIdentity(**{name: row.get(name, -1) for name in known})


def write_holding(folder: Path, holding: Holding) -> None:
    """Commit who holds a folder; the caller has its short lock."""
    write_atomic(folder / "lease.json", strict_json.dumps(asdict(holding)) + "\n")
