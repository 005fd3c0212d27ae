"""Limits of time of a process that nobody watches: it keeps them itself, though it hangs."""

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isoflop.base.errors import IsoflopError
from isoflop.lab.launchers.launcher import OnEvent
from isoflop.runs.counted import counted
from isoflop.store.outcome import note_outcome
from isoflop.store.spent import Limits

_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 5.0
"""After a deadline, for the step in work to end and let go of the rung by itself."""


class OverdueError(IsoflopError):
    """A rung in training for longer than its limit."""


class Watch:
    """Passes on what is told of a rung in training, within limits of time.

    A rung that is overdue when it tells of a step ends by an error. One that tells of none, because
    it hangs, is ended with its process: what is on disk is consistent, and its outcome says why.

    Args:
        folder: of the rung.
        limits: `rung_seconds` since it was begun, `silence_seconds` since it last told of a step.
        emit: told everything.
    """

    def __init__(self, folder: Path, limits: Limits, emit: OnEvent) -> None:
        self._folder, self._limits, self._emit = folder, limits, emit
        self._began = self._heard = time.monotonic()
        self._over = threading.Event()

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Pass an event on.

        Raises:
            OverdueError: it comes after the deadline.
        """
        self._emit(event)
        self._heard = time.monotonic()
        if message := self._late(self._heard):
            raise OverdueError(message)

    def begin(self) -> None:
        """Start the clocks: the rung is this process's."""
        self._began = self._heard = time.monotonic()
        if self._limits.rung_seconds is not None or self._limits.silence_seconds is not None:
            threading.Thread(target=self._guard, daemon=True).start()

    def end(self) -> None:
        """Stop them."""
        self._over.set()

    def _guard(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            now = time.monotonic()
            if message := self._silent(now) or self._late(now - _GRACE_SECONDS):
                note_outcome(self._folder, "timeout", message)
                os._exit(1)

    def _late(self, now: float) -> str | None:
        limit = self._limits.rung_seconds
        if limit is None or now - self._began < limit:
            return None
        return f"not over after {counted(limit, 'second')}, so it was stopped"

    def _silent(self, now: float) -> str | None:
        limit = self._limits.silence_seconds
        if limit is None or now - self._heard < limit:
            return None
        return f"no step for {counted(limit, 'second')}, so it was stopped"
