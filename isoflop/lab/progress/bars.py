"""Bars with ETA on a terminal; needs `rich`."""

import sys
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn
from rich.progress import Progress as RichProgress

from isoflop.lab.progress.progress import Forecast, clock, run_sentence


class Bars:
    """One bar per rung and one for the ladder, with the time left."""

    def __init__(self) -> None:
        self._bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(file=sys.stderr),
        )
        self._forecast: Forecast | None = None
        self._tasks: dict[str, TaskID] = {}
        self._whole = TaskID(0)
        self._began = time.monotonic()

    def start(self, steps: Mapping[str, int], seconds: Mapping[str, float], workers: int) -> None:
        """Draw the bars."""
        self._began = time.monotonic()
        self._forecast = Forecast(steps, seconds, workers)
        self._whole = self._bars.add_task("ladder", total=1.0, note="")
        for rung, total in steps.items():
            self._tasks[rung] = self._bars.add_task(rung, total=total, note="")
        self._bars.start()
        self._refresh()

    def event(self, event: Mapping[str, Any]) -> None:
        """Move the bars."""
        if self._forecast is None:
            return
        if event["event"] == "steps":
            self._forecast.take(event["rung"], event["steps"])
            taken = self._forecast.taken[event["rung"]]
            self._bars.update(self._tasks[event["rung"]], completed=taken)
            self._refresh()
        elif event["event"] == "run":
            self._bars.update(self._tasks[event["rung"]], note=run_sentence(event))
        elif event["event"] == "notice":
            told = f"{event['rung']}: {event['message']}"
            self._bars.console.print(told, markup=False, highlight=False)
        elif event["event"] in ("failed", "notice") and event["rung"] in self._tasks:
            mark = "✘ " if event["event"] == "failed" else ""
            self._bars.update(self._tasks[event["rung"]], note=mark + event["message"])

    def stop(self) -> None:
        """Leave the bars as they stand."""
        self._bars.stop()

    def _refresh(self) -> None:
        assert self._forecast is not None
        left = self._forecast.seconds_left(time.monotonic() - self._began)
        self._bars.update(
            self._whole, completed=self._forecast.done_share(), note=f"{clock(left)} left"
        )
