"""The budget guard: training stops before a limit is passed, never after.

FLOPs: every stretch of training is added to the study's sum before its first step, and refused
if the run it leads to would pass the limit. Seconds and dollars: refused likewise by the pace so
far; and as pace is a guess, whoever launches also watches the clock and stops the workers in time
(`Session`). What is finished stays; `resume` with a larger budget goes on where it stopped.
"""

import time
from collections.abc import Mapping
from typing import Any

from isoflop.accounting.flops import flops_per_token
from isoflop.base.errors import BudgetError, InputError
from isoflop.base.estimate import shorten
from isoflop.runs.counted import counted
from isoflop.runs.settle import settle_recipe
from isoflop.store.journal import read_journal
from isoflop.store.spent import Limits, Spent, add_spent, read_limits, read_spent
from isoflop.store.study import Study

STOPPING_SECONDS = 1.0
"""Kept back for stopping the workers: killing and waiting took .1 s or less."""
_EVERY_SECONDS = 1.0
"""Pause between two notes of the seconds spent: a killed session forgets no more than that."""


def check_limits(limits: Limits) -> None:
    """Refuse limits that say nothing.

    Raises:
        InputError: a limit that is not positive, or dollars without a price of an hour.
    """
    for name, value in vars(limits).items():
        if value is not None and not 0 < value < float("inf"):
            raise InputError(f"{name} is {value:g}, expected a positive number")
    if limits.dollars is not None and limits.dollars_per_hour is None:
        raise InputError("dollars buy hours at a price: give --dollars-per-hour of this machine")


def seconds_left(limits: Limits, spent: Spent) -> float:
    """Return the wall-clock that seconds and dollars still allow, infinity without a limit.

    >>> seconds_left(Limits(seconds=100, dollars=1, dollars_per_hour=60), Spent(seconds=30))
    60.0
    """
    left = [float("inf")]
    if limits.seconds is not None:
        left.append(limits.seconds - spent.seconds)
    if limits.dollars is not None and limits.dollars_per_hour:
        left.append((limits.dollars - spent.dollars) / limits.dollars_per_hour * 3600)
    return min(left)


def _tighter(limits: Limits, spent: Spent) -> str:
    """Return the option that allows less time."""
    only_dollars = limits.seconds is None
    by_seconds = seconds_left(Limits(seconds=limits.seconds), spent)
    return (
        "--max-dollars"
        if only_dollars or seconds_left(limits, spent) < by_seconds
        else ("--max-seconds")
    )


def _time_spent(limits: Limits, spent: Spent) -> str:
    if _tighter(limits, spent) == "--max-seconds":
        return f"{spent.seconds:.1f} of {counted(limits.seconds or 0.0, 'second')} are spent"
    return f"{shorten(spent.dollars)} of {counted(limits.dollars or 0.0, 'dollar')} are spent"


def allow_stretch(
    limits: Limits, spent: Spent, *, flops: float, seconds: float, what: str = "the next run"
) -> None:
    """Refuse training that would pass a limit.

    Args:
        limits: of the study.
        spent: so far.
        flops: what training needs until its next run is finished.
        seconds: likewise, by the pace so far; 0 where there is none yet.
        what: named in the error.

    Raises:
        BudgetError: names the limit, what is spent and what is needed.
    """
    if limits.flops is not None and spent.flops + flops > limits.flops:
        raise BudgetError(
            f"{shorten(spent.flops)} of {shorten(limits.flops)} FLOPs are spent and {what} needs "
            f"{shorten(flops)} more; go on with a larger --max-flops"
        )
    left = seconds_left(limits, spent)
    if seconds >= left:
        raise BudgetError(
            f"{_time_spent(limits, spent)} and {what} needs about {shorten(seconds)} seconds more; "
            f"go on with a larger {_tighter(limits, spent)}"
        )


def open_sums(study: Study) -> None:
    """Begin the sums of a study; one begun by an earlier release by what its timings tell."""
    if not (study.path / "spent.json").exists():
        add_spent(study.path, _spent_before(study))


def _spent_before(study: Study) -> Spent:
    flops = seconds = 0.0
    for rung in study.ladder.rungs:
        batch = settle_recipe(study.ladder.recipe, rung).batch_tokens
        step_flops = rung.members * batch * flops_per_token(rung.architecture).matmul
        for path in study.rung_folder(rung.name).rglob("timing.jsonl"):
            for row in read_journal(path).records:
                flops += (row["last"] - row["first"]) * step_flops
                seconds += row["seconds"]
    return Spent(flops=flops, seconds=seconds)


class Session:
    """One `run` or `resume`: adds its wall-clock to the study's sum, and ends it in time."""

    def __init__(self, study: Study) -> None:
        self._study, self._limits = study, read_limits(study.path)
        self._noted = time.monotonic()

    def event(self, event: Mapping[str, Any] | None = None) -> None:
        """Note the time; the launcher calls it at every event, and every half second.

        Raises:
            BudgetError: no more time than it takes to stop.
        """
        now = time.monotonic()
        running = self._more(now - self._noted)
        if now - self._noted >= _EVERY_SECONDS:
            self.note()
            running = Spent()
        left = seconds_left(self._limits, read_spent(self._study.path).plus(running))
        if left <= STOPPING_SECONDS:
            spent = read_spent(self._study.path).plus(running)
            raise BudgetError(
                f"{_time_spent(self._limits, spent)} and {STOPPING_SECONDS:g} second is kept "
                f"back to stop in; go on with a larger {_tighter(self._limits, spent)}"
            )

    def note(self) -> None:
        """Add the time since the last note."""
        now = time.monotonic()
        add_spent(self._study.path, self._more(now - self._noted))
        self._noted = now

    def _more(self, seconds: float) -> Spent:
        price = self._limits.dollars_per_hour or 0.0
        return Spent(seconds=seconds, dollars=seconds * price / 3600)
