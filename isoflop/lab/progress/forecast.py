"""The time left of a launch: predicted at first, more and more by the pace so far."""

from collections.abc import Mapping
from dataclasses import dataclass

from isoflop.lab.launchers.layout import Layout
from isoflop.lab.price.makespan import makespan


@dataclass(frozen=True)
class Outlook:
    """What a launch has before it.

    Args:
        steps: optimizer steps of each rung that is not over, from its first to its last.
        taken: those of them that are on disk.
        seconds: predicted for all steps of a rung.
        layout: how the rungs are spread.
    """

    steps: Mapping[str, int]
    taken: Mapping[str, int]
    seconds: Mapping[str, float]
    layout: Layout


class Forecast:
    """Predict the time left.

    Args:
        outlook: what there is to do.

    >>> layout = Layout(1, "on 1 worker", start_seconds=4.0)
    >>> forecast = Forecast(Outlook({"d16": 100}, {"d16": 0}, {"d16": 50.0}, layout))
    >>> forecast.total_seconds()
    54.0
    >>> forecast.hear({"event": "ready"}, elapsed=4.0)
    >>> forecast.hear({"event": "steps", "rung": "d16", "steps": 50}, elapsed=54.0)
    >>> forecast.seconds_left(elapsed=54.0)
    37.5
    """

    def __init__(self, outlook: Outlook) -> None:
        self._outlook, self._layout = outlook, outlook.layout
        self._heard = dict.fromkeys(outlook.steps, 0)
        self._begun: set[str] = set()
        self._started: float | None = None
        self.taken = {name: min(outlook.taken.get(name, 0), n) for name, n in outlook.steps.items()}
        self._at_first = self._left()

    def hear(self, event: Mapping[str, object], elapsed: float) -> None:
        """Take note of an event, so many seconds after the beginning."""
        kind, name, steps = event["event"], event.get("rung"), event.get("steps")
        if kind in ("ready", "steps", "run") and self._started is None:
            self._started = elapsed
        if not isinstance(name, str) or name not in self.taken:
            return
        if kind == "ready":
            self._begun.add(name)
        if kind == "steps" and isinstance(steps, int):
            self._take(name, steps)

    def _take(self, name: str, steps: int) -> None:
        """Count steps; a trainer first tells again of those that were on disk."""
        self._heard[name] += steps
        if self._heard[name] > self.taken[name]:
            self.taken[name] = min(self._outlook.steps[name], self._heard[name])
            self._begun.add(name)

    def total_seconds(self) -> float:
        """Return the predicted wall-clock of this launch, start-up included."""
        return self._first_start() + self._wall(self._at_first)

    def done_share(self) -> float:
        """Return the share of the predicted work that is over, by earlier launches too."""
        steps, seconds = self._outlook.steps, self._outlook.seconds
        done = sum(seconds[name] * self.taken[name] / steps[name] for name in steps)
        return done / sum(seconds.values())

    def seconds_left(self, elapsed: float) -> float:
        """Return wall-clock seconds left: the prediction at first, more and more the pace."""
        left = self._left()
        predicted, whole = self._wall(left), sum(self._at_first.values())
        over = whole - sum(left.values())
        if over <= 0 or self._started is None:
            return predicted + max(0.0, self._first_start() - elapsed)
        worked = elapsed if self._layout.starts == "rung" else elapsed - self._started
        slower = worked / (over / whole * self._wall(self._at_first))
        share = over / whole
        return predicted * (share * slower + 1 - share)

    def _left(self) -> dict[str, float]:
        """Return predicted seconds left of each rung, with those of starting its process."""
        steps, seconds = self._outlook.steps, self._outlook.seconds
        start = self._layout.start_seconds if self._layout.starts == "rung" else 0.0
        return {
            name: seconds[name] * (1 - self.taken[name] / n)
            + (0.0 if name in self._begun else start)
            for name, n in steps.items()
        }

    def _wall(self, seconds: Mapping[str, float]) -> float:
        return makespan(seconds.values(), self._layout.at_once)

    def _first_start(self) -> float:
        return self._layout.start_seconds if self._layout.starts == "worker" else 0.0
