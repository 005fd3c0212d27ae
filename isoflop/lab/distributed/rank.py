"""One rank of a rung: the leader claims it, meets the others and trains; the others follow."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError, IsoflopError
from isoflop.lab.distributed.group import LEADER, Group, join_group, leave_group
from isoflop.lab.distributed.leader import how_spread
from isoflop.lab.distributed.share import Split, check_study
from isoflop.lab.distributed.together import How, dismiss, follow_rung, leading
from isoflop.lab.engines.placement import Placement
from isoflop.lab.launchers.station import attempt, open_station
from isoflop.store.leases.lease import Lease, await_claim
from isoflop.store.study import Study


@dataclass(frozen=True)
class Asked:
    """What a rank is started with.

    Args:
        study: a prepared study.
        rung: name of the rung.
        shard: whether to divide the weights too.
        lease_seconds: lease time of the rung.
    """

    study: Path
    rung: str
    shard: bool
    lease_seconds: float


def train_as_rank(asked: Asked) -> int:
    """Train one rung with the other ranks, as torchrun's environment says; return the exit status.

    Args:
        asked: study and rung.
    """
    try:
        how = _open(asked.study, asked.rung, Split(_size(), asked.shard))
        event = (_lead if _leads() else _follow)(asked, how)
    except InputError as error:
        return _report({"event": "failed", "rung": asked.rung, "message": str(error)}, 2)
    return _report(event, 0 if event["event"] == "done" else 1)


def _lead(asked: Asked, how: How) -> Mapping[str, Any]:
    """Claim the rung, and only then meet the others: what this rank waits for is its own affair."""
    study, name = how.station.study, asked.rung

    @cache
    def join() -> Group:
        group = _join(how)
        _emit({"event": "ready", "rung": name, **how_spread(group, shard=how.shard)})
        return group

    def take() -> Lease | None:
        folder, seconds = study.rung_folder(name), asked.lease_seconds
        over = partial(study.rung_finished, name)
        return await_claim(folder, f"rung {name}", seconds=seconds, over=over)

    event = attempt(how.station, name, _emit, take, leading(join, how))
    if event["event"] == "done":
        dismiss(join())
        leave_group()
    return event


def _follow(asked: Asked, how: How) -> Mapping[str, Any]:
    study = how.station.study
    try:
        follow_rung(study.ladder.rung(asked.rung), _join(how), how)
        leave_group()
    except (IsoflopError, MemoryError, OSError, RuntimeError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        return {"event": "failed", "rung": asked.rung, "message": line}
    return {"event": "done", "rung": asked.rung}


def _join(how: How) -> Group:
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    return join_group(how.station.placement.torch_device, local_rank)


def _open(path: Path, name: str, split: Split) -> How:
    """Open a study, or say why its rung cannot be trained by these ranks."""
    engine = check_study(Study.open(path), name, split)
    station = open_station(path)
    placement = Placement(station.placement.device, engine.precision)
    return How(replace(station, placement=placement), split.shard)


def _size() -> int:
    """Return the number of ranks; not under torchrun, this process is the only one."""
    if "WORLD_SIZE" not in os.environ:
        alone = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
        os.environ.update(alone)
    return int(os.environ["WORLD_SIZE"])


def _leads() -> bool:
    return int(os.environ["RANK"]) == LEADER


def _report(event: Mapping[str, Any], status: int) -> int:
    """Say what became of the rung: the leader by an event, a follower that failed in the log."""
    if _leads():
        _emit(event)
    elif status:
        sys.stderr.write(f"rank {os.environ['RANK']}: {event['message']}\n")
    return status


def _emit(event: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(dict(event)) + "\n")
    sys.stdout.flush()
