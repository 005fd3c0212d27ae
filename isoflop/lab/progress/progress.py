"""Progress on standard error: bars with ETA on a terminal, one line per event off it."""

import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol, TextIO

from isoflop.base.duration import clock as clock
from isoflop.lab.progress.forecast import Forecast, Outlook
from isoflop.runs.counted import counted


class Progress(Protocol):
    """Told of everything that happens while a ladder is trained."""

    def start(self, outlook: Outlook) -> None:
        """Begin: what there is to train, what of it is on disk, how it is spread."""
        ...

    def event(self, event: Mapping[str, Any]) -> None:
        """One event of a worker."""
        ...

    def stop(self) -> None:
        """End, whatever happened."""
        ...


class Silent:
    """Say nothing."""

    def start(self, outlook: Outlook) -> None:
        """Ignore."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Ignore."""

    def stop(self) -> None:
        """Ignore."""


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

    def start(self, outlook: Outlook) -> None:
        """Say how long it will take."""
        self._began = self._last = time.monotonic()
        self._forecast = Forecast(outlook)
        share = self._forecast.done_share()
        had = f", {share:.0%} of it on disk" if share >= 0.005 else ""
        self._say(
            f"training {counted(len(outlook.steps), 'rung')} {outlook.layout.words}{had}, about "
            f"{clock(self._forecast.total_seconds())}"
        )

    def event(self, event: Mapping[str, Any]) -> None:
        """Count steps; print what is over."""
        if self._forecast is not None:
            self._forecast.hear(event, time.monotonic() - self._began)
        if event["event"] == "steps" and self._forecast is not None:
            if time.monotonic() - self._last >= self._every:
                self._say(f"{self._forecast.done_share():.0%} done")
        elif event["event"] == "run":
            self._say(run_sentence(event))
        elif event["event"] == "failed":
            self._say(f"{event['rung']} failed: {event['message']}", left=False)
        elif event["event"] == "notice":
            self._say(notice_sentence(event), left=False)

    def stop(self) -> None:
        """Nothing to clear."""

    def _say(self, text: str, *, left: bool = True) -> None:
        """Print a line; the time left stands behind news, not behind a sentence of its own."""
        now = time.monotonic()
        self._last = now
        more = ""
        if left and self._forecast is not None:
            more = f", {clock(self._forecast.seconds_left(now - self._began))} left"
        print(f"{clock(now - self._began)} {text}{more}", file=self._stream, flush=True)


def run_sentence(event: Mapping[str, Any]) -> str:
    """Return the sentence of a run that is over.

    >>> run_sentence({"run": "d16-s0-t65536", "loss": 2.0, "diverged_step": None})
    'd16-s0-t65536 loss 2.0000'
    """
    if event["diverged_step"] is not None:
        return f"{event['run']} diverged at step {event['diverged_step']}"
    return f"{event['run']} loss {event['loss']:.4f}"


def notice_sentence(event: Mapping[str, Any]) -> str:
    """Return the sentence of a notice, of one rung or of all.

    >>> notice_sentence({"rung": "d16", "message": "another runner trains it"})
    'd16: another runner trains it'
    """
    return f"{event.get('rung', 'note')}: {event['message']}"


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
