"""A worker of this machine as its parent sees it: a process, its pipe of orders, its events."""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, TypeAlias

from isoflop.lab.launchers.station import ENVIRONMENT
from isoflop.store.leases.lease import Sighting
from isoflop.store.study import Study

Events: TypeAlias = "queue.SimpleQueue[tuple[WorkerProcess, Mapping[str, Any]]]"


class WorkerProcess:
    """One worker and the rung it holds.

    Started in a session of its own: Ctrl+C reaches the parent alone, which stops it.

    Args:
        study: what it trains.
        lease_seconds: lease time of its rungs.
        events: where its events go; `gone` is the last of them, even if it dies in mid-line.
        command: Python's arguments; those of a worker that takes orders by default.
    """

    def __init__(
        self,
        study: Study,
        lease_seconds: float,
        events: Events,
        command: Sequence[str] | None = None,
    ) -> None:
        command = command or ("-m", "isoflop.lab.launchers.worker", str(study.path))
        with (study.path / "workers.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, *command, "--lease-seconds", str(lease_seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **ENVIRONMENT},
                start_new_session=True,
            )
        assert self._process.stdout is not None
        self._reader = threading.Thread(
            target=self._forward, args=(self._process.stdout, events), daemon=True
        )
        self._reader.start()
        self.rung: str | None = None
        self.ready = self.gone = False
        self._ordered = self._heard = time.monotonic()

    @property
    def idle(self) -> bool:
        """Whether it waits for an order."""
        return self.ready and not self.gone and self.rung is None

    @property
    def rung_seconds(self) -> float:
        """Seconds since it was ordered its rung."""
        return time.monotonic() - self._ordered

    @property
    def silent_seconds(self) -> float:
        """Seconds since it was ordered something or said something."""
        return time.monotonic() - self._heard

    def note(self, event: Mapping[str, Any]) -> str | None:
        """Take note of its event; return the rung that it is rid of, if any."""
        self._heard = time.monotonic()
        self.ready = True
        if event["event"] == "gone":
            self.gone = True
        if event["event"] not in ("done", "failed", "held", "gone"):
            return None
        rung, self.rung = self.rung, None
        return rung

    def order(self, rung: str, seen: Sighting) -> bool:
        """Send it a rung; tell whether it could be reached."""
        line = json.dumps({"rung": rung, "token": seen.token, "beat": seen.beat}) + "\n"
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError:  # it died; its `gone` is on the way
            self.ready = False
            return False
        self.rung, self._ordered = rung, time.monotonic()
        self._heard = self._ordered
        return True

    def dismiss(self) -> None:
        """Close its input, so that it ends."""
        self.ready = False
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()

    def kill(self) -> None:
        """End it now."""
        self._process.kill()

    def wait(self, seconds: float | None = None) -> int:
        """Return its exit status once it has ended.

        Raises:
            TimeoutExpired: it had not after so many seconds.
        """
        return self._process.wait(seconds)

    def clear(self) -> None:
        """End it if it lives, and let go of its pipes."""
        if not self.gone:
            self.kill()
        self.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _forward(self, lines: IO[str], events: Events) -> None:
        for line in lines:
            with suppress(ValueError):
                events.put((self, json.loads(line)))
        events.put((self, {"event": "gone"}))
