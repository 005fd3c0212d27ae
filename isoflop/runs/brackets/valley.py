"""The learning rate of lowest loss: a parabola in log rate through the points near the bottom.

Legend: η peak learning rate, x = ln η, L loss; L = L* + c·(x − x*)².
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np

Place = Literal["inside", "lowest rate", "highest rate", "beside divergence", "no bottom"]
NEAR = 3.0
"""Factor of rate from the best within which the parabola goes through points, one on either side at
the least: further out the valley is a wall of divergence above and a slope of slow training below
(a parabola over a factor 4 left the bottom .017 nats above the best measured, docs/LOG.md)."""
TOLERANCE = 0.01
"""Nats above the bottom within which a rate is as good as the best: about a seed's spread."""


@dataclass(frozen=True)
class Bracket:
    """What the rates of one rung gave at one budget.

    Args:
        rung: its name.
        n_params: total parameters.
        n_tokens: tokens of every run.
        lrs: rates tried, ascending.
        losses: mean loss over seeds at each, nats; None where a seed diverged.
        place: where the best lies: inside, or where the bracket failed.
        lr: rate at the bottom of the parabola; the best tried where there is none inside.
        loss: at the bottom, or at the best tried.
        low: lowest rate within .01 nats of the bottom by the parabola, None without one.
        high: highest likewise.
        curvature: c, nats per squared e-fold of rate, None without a parabola.
    """

    rung: str
    n_params: int
    n_tokens: int
    lrs: tuple[float, ...]
    losses: tuple[float | None, ...]
    place: Place
    lr: float
    loss: float | None
    low: float | None = None
    high: float | None = None
    curvature: float | None = None

    @property
    def diverged(self) -> tuple[float, ...]:
        """Rates at which a seed diverged."""
        return tuple(lr for lr, loss in zip(self.lrs, self.losses, strict=True) if loss is None)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        row = {**asdict(self), "lrs": list(self.lrs), "losses": list(self.losses)}
        return {**row, "diverged": list(self.diverged)}


def read_brackets(rows: Iterable[Mapping[str, Any]]) -> tuple[Bracket, ...]:
    """Return one bracket per rung and budget that was tried at three rates or more.

    Args:
        rows: runs that are over, with `rung`, `n_params`, `n_tokens`, `lr`, `loss` and `state`
            (`finished` or `diverged`), as `Study.status` has them.

    >>> rows = [{"rung": "a", "n_params": 9, "n_tokens": 8, "state": "finished", "lr": 0.01 * e,
    ...          "loss": 2 + math.log(e) ** 2} for e in (0.5, 1, 2)]
    >>> found, = read_brackets(rows)
    >>> round(found.lr, 6), found.place
    (0.01, 'inside')
    """
    over = [row for row in rows if row["state"] in ("finished", "diverged")]
    found = []
    for (rung, n_params, n_tokens), runs in groupby(sorted(over, key=_cell), key=_cell):
        by_rate: dict[float, list[float | None]] = {}
        for run in runs:
            loss = run["loss"] if run["state"] == "finished" else None
            by_rate.setdefault(run["lr"], []).append(loss)
        if len(by_rate) >= 3:
            lrs = tuple(sorted(by_rate))
            losses = tuple(_mean(by_rate[lr]) for lr in lrs)
            found.append(_bracket(rung, n_params, n_tokens, lrs, losses))
    return tuple(found)


def _cell(row: Mapping[str, Any]) -> tuple[str, int, int]:
    return (row["rung"], row["n_params"], row["n_tokens"])


def _mean(losses: Sequence[float | None]) -> float | None:
    """A rate at which any seed diverged is not a rate to train at."""
    known = [loss for loss in losses if loss is not None]
    return sum(known) / len(known) if known and len(known) == len(losses) else None


def _bracket(
    rung: str,
    n_params: int,
    n_tokens: int,
    lrs: tuple[float, ...],
    losses: tuple[float | None, ...],
) -> Bracket:
    known = [(lr, loss) for lr, loss in zip(lrs, losses, strict=True) if loss is not None]
    if not known:
        return Bracket(rung, n_params, n_tokens, lrs, losses, "no bottom", lrs[0], None)
    best, loss = min(known, key=lambda pair: pair[1])
    place = _place(best, lrs, losses)
    if place != "inside":
        return Bracket(rung, n_params, n_tokens, lrs, losses, place, best, loss)
    x, y, curvature = _bottom(best, known)
    if not curvature > 0 or not math.log(lrs[0]) < x < math.log(lrs[-1]):
        return Bracket(rung, n_params, n_tokens, lrs, losses, "no bottom", best, loss)
    half = math.sqrt(TOLERANCE / curvature)
    ends = (math.exp(x - half), math.exp(x + half))
    return Bracket(
        rung, n_params, n_tokens, lrs, losses, "inside", math.exp(x), y, *ends, curvature
    )


def _place(best: float, lrs: tuple[float, ...], losses: tuple[float | None, ...]) -> Place:
    index = lrs.index(best)
    if index == 0:
        return "lowest rate"
    if index == len(lrs) - 1:
        return "highest rate"
    return "inside" if losses[index + 1] is not None else "beside divergence"


def _bottom(best: float, known: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return (x*, L*, c) of the least-squares parabola through the best and the rates near it."""
    index = [lr for lr, _ in known].index(best)
    near = [
        point
        for place, point in enumerate(known)
        if abs(place - index) <= 1 or 1 / NEAR <= point[0] / best <= NEAR
    ]
    x = np.log([lr for lr, _ in near])
    c, b, a = np.polyfit(x - x.mean(), [loss for _, loss in near], 2)
    if not c > 0:
        return float("nan"), float("nan"), float(c)
    bottom = -b / (2 * c)
    return float(bottom + x.mean()), float(a + b * bottom / 2), float(c)
