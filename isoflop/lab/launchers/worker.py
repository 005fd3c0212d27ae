"""A worker process: trains the rungs it is sent, and dies with its parent.

Started as `python -m isoflop.lab.launchers.worker STUDY`. Reads one JSON line per rung from
standard input, writes one JSON line per event to standard output. End of input means that the
parent is gone or done: the process exits at once, whatever it is doing; what is on disk is
consistent.
"""

import json
import os
import queue
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isoflop.base.errors import IsoflopError
from isoflop.lab.data.prepare import StudyData, open_data
from isoflop.lab.placement import Placement, settle_gpu, settle_threads
from isoflop.lab.train_rung import train_rung
from isoflop.store.study import Study


def main(path: str) -> None:
    """Train rungs until standard input ends."""
    wanted: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read_orders, args=(wanted,), daemon=True).start()
    settle_threads()
    study = Study.open(Path(path))
    settings = study.settings()
    placement = Placement(settings["device"], settings["precision"])
    if placement.device == "cuda":
        settle_gpu()
    data = open_data(study.ladder, study.path / "data")
    _emit({"event": "ready"})
    while True:
        _train(study, wanted.get(), data, placement)


def _train(study: Study, name: str, data: StudyData, placement: Placement) -> None:
    try:
        train_rung(study, study.ladder.rung(name), data, placement, _emit)
    except (IsoflopError, MemoryError, OSError, RuntimeError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        _emit({"event": "failed", "rung": name, "message": line})
    else:
        _emit({"event": "done", "rung": name})


def _emit(event: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(dict(event)) + "\n")
    sys.stdout.flush()


def _read_orders(wanted: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        wanted.put(json.loads(line)["rung"])
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
