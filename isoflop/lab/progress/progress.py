"""Progress on standard error: bars with ETA on a terminal, one line per event off it."""

import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from isoflop.base.duration import clock as clock
from isoflop.runs.counted import counted


class Progress(Protocol):
    """Told of everything that happens while a ladder is trained."""

    def start(self, steps: Mapping[str, int], seconds: Mapping[str, float], workers: int) -> None:
        """Begin: optimizer steps and predicted worker-seconds of each rung still to train."""
        ...

    def event(self, event: Mapping[str, Any]) -> None:
        """One event of a worker."""
        ...

    def stop(self) -> None:
        """End, whatever happened."""
        ...


class Silent:
    """Say nothing."""

    def start(self, steps: Mapping[str, int], seconds: Mapping[str, float], workers: int) -> None:
        """Ignore."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Ignore."""

    def stop(self) -> None:
        """Ignore."""


class Forecast:
    """Predict the time left from the predicted seconds and the pace so far.

    >>> forecast = Forecast({"d16": 100}, {"d16": 50.0}, workers=1)
    >>> forecast.take("d16", 50)
    >>> forecast.seconds_left(elapsed=50.0)
    37.5
    """

    def __init__(
        self, steps: Mapping[str, int], seconds: Mapping[str, float], workers: int
    ) -> None:
        self._steps, self._seconds, self._workers = dict(steps), dict(seconds), max(1, workers)
        self.taken = dict.fromkeys(steps, 0)

    def take(self, rung: str, steps: int) -> None:
        """Count steps that are over."""
        self.taken[rung] = min(self._steps[rung], self.taken[rung] + steps)

    def total_seconds(self) -> float:
        """Return the predicted wall-clock of everything."""
        return max(sum(self._seconds.values()) / self._workers, *self._seconds.values())

    def done_share(self) -> float:
        """Return the share of the predicted work that is over."""
        done = sum(self._seconds[r] * self.taken[r] / self._steps[r] for r in self._steps)
        return done / sum(self._seconds.values())

    def seconds_left(self, elapsed: float) -> float:
        """Return wall-clock seconds left: the prediction at first, more and more the pace."""
        done = self.done_share()
        predicted = self.total_seconds() * (1 - done)
        if done <= 0:
            return max(0.0, predicted - elapsed)
        pace = elapsed * (1 - done) / done
        return done * pace + (1 - done) * predicted


class Lines:
    """One line per finished run, and one line of progress now and then.

    Args:
        stream: where to write; standard error by default.
        every_seconds: pause between lines of progress.
    """

    def __init__(self, stream: TextIO | None = None, every_seconds: float = 20.0) -> None:
        self._stream, self._every = stream or sys.stderr, every_seconds
        self._began = self._last = time.monotonic()
        self._forecast: Forecast | None = None

    def start(self, steps: Mapping[str, int], seconds: Mapping[str, float], workers: int) -> None:
        """Say how long it will take."""
        self._began = self._last = time.monotonic()
        self._forecast = Forecast(steps, seconds, workers)
        self._say(
            f"training {counted(len(steps), 'rung')} on {counted(workers, 'worker')}, about "
            f"{clock(self._forecast.total_seconds())}"
        )

    def event(self, event: Mapping[str, Any]) -> None:
        """Count steps; print what is over."""
        if event["event"] == "steps" and self._forecast is not None:
            self._forecast.take(event["rung"], event["steps"])
            if time.monotonic() - self._last >= self._every:
                self._say(f"{self._forecast.done_share():.0%} done")
        elif event["event"] == "run":
            self._say(run_sentence(event))
        elif event["event"] == "failed":
            self._say(f"{event['rung']} failed: {event['message']}")
        elif event["event"] == "notice":
            self._say(f"{event['rung']}: {event['message']}")

    def stop(self) -> None:
        """Nothing to clear."""

    def _say(self, text: str) -> None:
        now = time.monotonic()
        self._last = now
        left = ""
        if self._forecast is not None:
            left = f", {clock(self._forecast.seconds_left(now - self._began))} left"
        print(f"{clock(now - self._began)} {text}{left}", file=self._stream, flush=True)


def run_sentence(event: Mapping[str, Any]) -> str:
    """Return the sentence of a run that is over.

    >>> run_sentence({"run": "d16-s0-t65536", "loss": 2.0, "diverged_step": None})
    'd16-s0-t65536 loss 2.0000'
    """
    if event["diverged_step"] is not None:
        return f"{event['run']} diverged at step {event['diverged_step']}"
    return f"{event['run']} loss {event['loss']:.4f}"


def default_progress(stream: TextIO | None = None) -> Progress:
    """Return bars on a terminal if `rich` is installed, lines otherwise."""
    target: TextIO = stream or sys.stderr
    if not target.isatty():
        return Lines(target)
    try:
        from isoflop.lab.progress.bars import Bars
    except ImportError:
        return Lines(target)
    return Bars()
