"""Bars with ETA on a terminal; needs `rich`."""

import sys
import time
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn
from rich.progress import Progress as RichProgress

from isoflop.lab.progress.forecast import Forecast, Outlook
from isoflop.lab.progress.progress import clock, notice_sentence, run_sentence


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

    def start(self, outlook: Outlook) -> None:
        """Draw the bars, as far as earlier launches came."""
        self._began = time.monotonic()
        self._forecast = Forecast(outlook)
        self._whole = self._bars.add_task(f"ladder {outlook.layout.words}", total=1.0, note="")
        for rung, total in outlook.steps.items():
            taken = self._forecast.taken[rung]
            self._tasks[rung] = self._bars.add_task(rung, total=total, completed=taken, note="")
        self._bars.start()
        self._refresh()

    def event(self, event: Mapping[str, Any]) -> None:
        """Move the bars."""
        if self._forecast is None:
            return
        self._forecast.hear(event, time.monotonic() - self._began)
        kind = event["event"]
        if kind == "steps":
            taken = self._forecast.taken[event["rung"]]
            self._bars.update(self._tasks[event["rung"]], completed=taken)
            self._refresh()
        elif kind == "run":
            self._bars.update(self._tasks[event["rung"]], note=run_sentence(event))
        elif kind == "notice":
            self._bars.console.print(notice_sentence(event), markup=False, highlight=False)
        elif kind == "failed" and event["rung"] in self._tasks:
            self._bars.update(self._tasks[event["rung"]], note=f"✘ {event['message']}")

    def stop(self) -> None:
        """Leave the bars as they stand."""
        self._bars.stop()

    def _refresh(self) -> None:
        assert self._forecast is not None
        left = self._forecast.seconds_left(time.monotonic() - self._began)
        self._bars.update(
            self._whole, completed=self._forecast.done_share(), note=f"{clock(left)} left"
        )
