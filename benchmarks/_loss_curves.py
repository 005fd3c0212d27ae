"""The loss curves of Luo et al. 2025: their schedules, and how published constants foresee them.

github.com/thu-yao-01-luo/MultiPowerLaw (MIT), no part of this project: folder multi-power-law/ of
ISOFLOP_DATA. Fitted by the authors on cosine_24000, constant_24000 and wsdcon_9, scored on the
rest.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks._reproduced import Reproduced
from isoflop.laws.catalog import find_published
from isoflop.laws.law import Array
from isoflop.laws.schedules.curve import ScheduleCurve
from isoflop.laws.schedules.multi_power import MultiPowerLaw
from isoflop.laws.schedules.usual import (
    Frame,
    constant_schedule,
    cooldown_schedule,
    cosine_schedule,
    step_schedule,
)

FOLDER = "multi-power-law"
PRINTED = {  # R², MAE and RMSE on the curves held out
    "25": (".9988", ".00376", ".00465"),
    "100": (".9983", ".00435", ".00592"),
    "400": (".9978", ".00484", ".00730"),
}
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
def read_curve(folder: Path, size: str, name: str) -> dict[str, Array]:
    """Columns step, lr and loss of one curve."""
    with (folder / size / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {column: np.array([float(row[column]) for row in rows]) for column in rows[0]}


def score(measured: Sequence[Array], predicted: Sequence[Array]) -> tuple[float, float, float]:
    """Means over curves of R², mean absolute and root mean squared error."""
    rows = []
    for loss, guess in zip(measured, predicted, strict=True):
        miss = loss - guess
        r2 = 1 - (miss @ miss) / ((loss - loss.mean()) @ (loss - loss.mean()))
        rows.append((r2, np.abs(miss).mean(), np.sqrt((miss**2).mean())))
    r2, mae, rmse = np.mean(rows, axis=0)
    return float(r2), float(mae), float(rmse)


def luo(data: Path) -> Iterator[Reproduced]:
    """The published constants of three sizes on the six curves that they were not fitted to."""
    for size, printed in PRINTED.items():
        theta = find_published(f"luo-2025-{size}m").theta
        curves = {name: read_curve(data / FOLDER, size, name) for name in HELD_OUT}
        predicted = [
            MultiPowerLaw((HELD_OUT[name],)).predict(theta, {"steps": curve["step"]})
            for name, curve in curves.items()
        ]
        found = score([curve["loss"] for curve in curves.values()], predicted)
        for what, published, ours in zip(("R²", "MAE", "RMSE"), printed, found, strict=True):
            yield Reproduced(f"Luo 2025, {size}M", f"{what} on six curves", published, ours)
