"""One rank, as torchrun starts it.

::

    torchrun --nproc-per-node 2 -m isoflop.lab.distributed STUDY RUNG [--shard]

STUDY must be prepared (docs/distributed.md). Rank 0 writes one JSON line per event to standard
output, the events of a worker; exit 0 when the rung is trained, 1 when it failed, 2 when it cannot
be trained so. `--with-parent` ends the process when its standard input does, as a launcher's
processes must.
"""

import argparse
import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError, IsoflopError
from isoflop.lab.distributed.group import join_group, leave_group
from isoflop.lab.distributed.share import Split, check_split
from isoflop.lab.distributed.together import train_together
from isoflop.lab.placement import Placement, settle_gpu, settle_threads
from isoflop.store.study import Study


def main() -> int:
    """Train one rung with the other ranks; return the exit status."""
    asked = _parse()
    if asked.with_parent:
        threading.Thread(target=_die_with_parent, daemon=True).start()
    settle_threads()
    try:
        _train(asked)
    except InputError as error:
        return _failed(asked.rung, error, 2)
    except (IsoflopError, MemoryError, OSError, RuntimeError) as error:
        return _failed(asked.rung, error, 1)
    return 0


def _train(asked: argparse.Namespace) -> None:
    study = Study.open(asked.study)
    names = [rung.name for rung in study.ladder.rungs]
    if asked.rung not in names:
        raise InputError(f"{asked.study} has no rung {asked.rung}; it has {', '.join(names)}")
    rung, settings = study.ladder.rung(asked.rung), study.settings()
    if not settings:
        raise InputError(f"{asked.study} is not prepared; see docs/distributed.md")
    check_split(study.ladder, rung, Split(_size(), asked.shard))
    placement = Placement(settings["device"], settings["precision"])
    if placement.device == "cuda":
        settle_gpu()
    group = join_group(placement.torch_device, int(os.environ.get("LOCAL_RANK", "0")))
    emit = _emit if group.leads else _keep
    emit({"event": "ready", "processes": group.size, "sharded": asked.shard})
    train_together(study, rung, group, shard=asked.shard, placement=placement, emit=emit)
    leave_group()
    emit({"event": "done", "rung": asked.rung})


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="isoflop.lab.distributed", description="One rank.")
    parser.add_argument("study", type=Path, help="prepared study folder")
    parser.add_argument("rung", help="name of the rung to train")
    parser.add_argument("--shard", action="store_true", help="divide the weights (FSDP2)")
    parser.add_argument("--with-parent", action="store_true", help="end with standard input")
    return parser.parse_args()


def _size() -> int:
    """Return the number of ranks; not under torchrun, this process is the only one."""
    if "WORLD_SIZE" not in os.environ:
        alone = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
        os.environ.update(alone)
    return int(os.environ["WORLD_SIZE"])


def _failed(rung: str, error: Exception, status: int) -> int:
    """Say why in one line: the leader as an event, a follower for the log."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    if os.environ.get("RANK", "0") == "0":
        _emit({"event": "failed", "rung": rung, "message": line})
    else:
        sys.stderr.write(f"rank {os.environ['RANK']}: {line}\n")
    return status


def _emit(event: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(dict(event)) + "\n")
    sys.stdout.flush()


def _keep(event: Mapping[str, Any]) -> None:
    """A follower's events are the leader's."""


def _die_with_parent() -> None:
    while sys.stdin.read(1):
        pass
    os._exit(1)


if __name__ == "__main__":
    # Without the group's teardown, which would wait for ranks that are gone.
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
