"""The schedules and curves of Luo et al. 2025, and scores of predictions of them."""

import csv
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from isoflop.laws.law import Array
from isoflop.laws.schedules.curve import ScheduleCurve
from isoflop.laws.schedules.usual import (
    Frame,
    constant_schedule,
    cooldown_schedule,
    cosine_schedule,
    step_schedule,
)

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
FOLDER = SHARED / "multi-power-law"
needs_curves = pytest.mark.skipif(
    not FOLDER.exists(),
    reason="the loss curves of thu-yao-01-luo/MultiPowerLaw are not here; point "
    "ISOFLOP_SHARED_DATA at the folder that holds multi-power-law/",
)

LONG, SHORT, TWO_STAGE = (Frame(steps, 3e-4, 2_160) for steps in (72_000, 24_000, 16_000))
FLOOR = 3e-5
TRAINING: Mapping[str, ScheduleCurve] = {
    "cosine_24000": cosine_schedule(SHORT, floor=FLOOR),
    "constant_24000": constant_schedule(SHORT),
    "wsdcon_9": step_schedule(TWO_STAGE, at=8_000, to=9e-5),
}
HELD_OUT: Mapping[str, ScheduleCurve] = {
    "constant_72000": constant_schedule(LONG),
    "cosine_72000": cosine_schedule(LONG, floor=FLOOR),
    "wsd_20000_24000": cooldown_schedule(SHORT, at=20_000, floor=FLOOR, decay="exponential"),
    "wsdld_20000_24000": cooldown_schedule(SHORT, at=20_000, floor=FLOOR),
    "wsdcon_3": step_schedule(TWO_STAGE, at=8_000, to=3e-5),
    "wsdcon_18": step_schedule(TWO_STAGE, at=8_000, to=18e-5),
}


@cache
def read_curve(size: str, name: str) -> dict[str, Array]:
    """Columns step, lr and loss of one curve."""
    with (FOLDER / size / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {column: np.array([float(row[column]) for row in rows]) for column in rows[0]}


def stack_training(size: str) -> tuple[dict[str, Array], Array]:
    """Variables and losses of the three training curves."""
    curves = [read_curve(size, name) for name in TRAINING]
    numbers = [np.full(len(c["loss"]), k) for k, c in enumerate(curves, start=1)]
    variables = {
        "curve": np.concatenate(numbers).astype(np.float64),
        "steps": np.concatenate([c["step"] for c in curves]),
    }
    return variables, np.concatenate([c["loss"] for c in curves])


def score(measured: Sequence[Array], predicted: Sequence[Array]) -> tuple[float, float, float]:
    """Means over curves of R², mean absolute and root mean squared error."""
    rows = []
    for loss, guess in zip(measured, predicted, strict=True):
        miss = loss - guess
        r2 = 1 - (miss @ miss) / ((loss - loss.mean()) @ (loss - loss.mean()))
        rows.append((r2, np.abs(miss).mean(), np.sqrt((miss**2).mean())))
    r2, mae, rmse = np.mean(rows, axis=0)
    return float(r2), float(mae), float(rmse)
