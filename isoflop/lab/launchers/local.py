"""A pool of local processes: one worker a core, one thread each, longest rung first."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any, TypeAlias

from isoflop.lab.launchers.launcher import OnEvent
from isoflop.store.study import Study

_Events: TypeAlias = "queue.SimpleQueue[tuple[int, Mapping[str, Any]]]"

_BIG = str(2**32)
_ENVIRONMENT = {
    # Packs give and take large buffers every step: keeping them costs 2.2 to 2.9 times less
    # than page faults on each.
    "MALLOC_MMAP_THRESHOLD_": _BIG,
    "MALLOC_TRIM_THRESHOLD_": _BIG,
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # Without it cuBLAS may choose kernels that add in another order from run to run.
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}


@dataclass
class _Worker:
    """One process and the rung it holds."""

    process: subprocess.Popen[str]
    reader: threading.Thread
    rung: str | None = None
    gone: bool = field(default=False)


@dataclass(frozen=True)
class LocalLauncher:
    """Processes of this machine."""

    name: str = "local"

    def launch(
        self, study: Study, rungs: Sequence[str], workers: int, on_event: OnEvent
    ) -> list[str]:
        """Train rungs side by side; see `Launcher.launch`.

        A worker that fails or dies costs its rung's last segment; the others go on. If this
        process is killed, the workers see their input end and exit.
        """
        events: _Events = queue.SimpleQueue()
        waiting, failures = list(rungs), []
        pool = [_start(study, index, events) for index in range(min(workers, len(waiting)))]
        try:
            while not all(worker.gone for worker in pool):
                index, event = events.get()
                worker = pool[index]
                failures += _account(worker, event)
                if event["event"] in ("ready", "done", "failed"):
                    _order_next(worker, waiting)
                on_event(event)
        finally:
            _stop(pool)
        return failures + [
            f"rung {name}: no worker was left to train it; see workers.log in the study"
            for name in waiting
        ]


def _start(study: Study, index: int, events: _Events) -> _Worker:
    """Start a worker in its own session: Ctrl+C reaches this process alone, which stops it."""
    with (study.path / "workers.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "isoflop.lab.launchers.worker", str(study.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **_ENVIRONMENT},
            start_new_session=True,
        )
    assert process.stdout is not None
    reader = threading.Thread(target=_forward, args=(index, process.stdout, events), daemon=True)
    reader.start()
    return _Worker(process, reader)


def _forward(index: int, lines: IO[str], events: _Events) -> None:
    """Pass a worker's events on; its death is the last of them, even in mid-line."""
    for line in lines:
        with suppress(ValueError):
            events.put((index, json.loads(line)))
    events.put((index, {"event": "gone"}))


def _account(worker: _Worker, event: Mapping[str, Any]) -> list[str]:
    """Update a worker from its event; return the failure it reports, if any."""
    kind = event["event"]
    if kind == "failed":
        worker.rung = None
        return [f"rung {event['rung']}: {event['message']}"]
    if kind == "done":
        worker.rung = None
    if kind == "gone":
        worker.gone = True
        if worker.rung is not None:
            return [
                f"rung {worker.rung}: its worker ended with status {worker.process.wait()}; "
                "see workers.log in the study, and run again to resume"
            ]
    return []


def _order_next(worker: _Worker, waiting: list[str]) -> None:
    """Send the next rung, or close the worker's input so that it ends."""
    assert worker.process.stdin is not None
    try:
        if waiting:
            worker.rung = waiting[0]
            worker.process.stdin.write(json.dumps({"rung": waiting[0]}) + "\n")
            worker.process.stdin.flush()
            del waiting[0]
        else:
            worker.process.stdin.close()
    except BrokenPipeError:
        worker.rung = None


def _stop(pool: Sequence[_Worker]) -> None:
    """End every worker and wait for it."""
    for worker in pool:
        if not worker.gone:
            worker.process.kill()
        worker.process.wait()
        worker.reader.join()
        for stream in (worker.process.stdin, worker.process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
