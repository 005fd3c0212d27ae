"""The loss curves of Luo et al. 2025, where they are here."""

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks import _loss_curves
from benchmarks._loss_curves import HELD_OUT, TRAINING, score
from isoflop.laws.law import Array

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
FOLDER = SHARED / _loss_curves.FOLDER
needs_curves = pytest.mark.skipif(
    not FOLDER.exists(),
    reason="the loss curves of thu-yao-01-luo/MultiPowerLaw are not here; point "
    "ISOFLOP_SHARED_DATA at the folder that holds multi-power-law/",
)

__all__ = ["HELD_OUT", "TRAINING", "needs_curves", "read_curve", "score", "stack_training"]


def read_curve(size: str, name: str) -> dict[str, Array]:
    """Columns step, lr and loss of one curve."""
    return _loss_curves.read_curve(FOLDER, size, name)


def stack_training(size: str) -> tuple[dict[str, Array], Array]:
    """Variables and losses of the three training curves."""
    curves = [read_curve(size, name) for name in TRAINING]
    numbers = [np.full(len(c["loss"]), k) for k, c in enumerate(curves, start=1)]
    variables = {
        "curve": np.concatenate(numbers).astype(np.float64),
        "steps": np.concatenate([c["step"] for c in curves]),
    }
    return variables, np.concatenate([c["loss"] for c in curves])
