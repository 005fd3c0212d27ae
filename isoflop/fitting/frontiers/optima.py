"""Optima read off the runs: the parabola of a budget, and the points a frontier runs through.

Legend: C FLOPs, N parameters, D tokens, L loss.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.base.estimate import Estimate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Valley:
    """One IsoFLOP curve: the runs of a budget and the parabola through them.

    Args:
        flops: (geometric) mean compute of the runs.
        n_params: (k,) parameters.
        n_tokens: (k,) tokens.
        loss: (k,) loss.
        coefficients: (3,) loss = c0 + c1·x + c2·x², x = log N − mean log N.
        centre: mean log N of the runs.
        verdict: "" if the minimum may be used, else why not.
    """

    flops: float
    n_params: Array
    n_tokens: Array
    loss: Array
    coefficients: Array
    centre: float
    verdict: str

    @property
    def n_opt(self) -> float:
        """Parameters at the parabola's minimum."""
        return float(np.exp(self.centre - self.coefficients[1] / (2 * self.coefficients[2])))

    @property
    def loss_opt(self) -> float:
        """Loss at the parabola's minimum."""
        c0, c1, c2 = self.coefficients
        return float(c0 - c1 * c1 / (4 * c2))

    def curve(self, n_params: Array) -> Array:
        """Loss of the parabola at the given parameters, same shape."""
        x = np.log(n_params) - self.centre
        c0, c1, c2 = self.coefficients
        return c0 + c1 * x + c2 * x * x


@dataclass(frozen=True)
class FrontierPoints:
    """Optima read off the runs, one a budget.

    Args:
        flops: (m,) compute.
        n_params: (m,) optimal parameters.
        n_tokens: (m,) optimal tokens.
        loss: (m,) loss there.
        n_params_ends: (m, 2) ends of the intervals of each; None where none were drawn, as of the
            envelope, whose optima are sizes of the grid.
        n_tokens_ends: likewise.
        loss_ends: likewise.
    """

    flops: Array
    n_params: Array
    n_tokens: Array
    loss: Array
    n_params_ends: Array | None = None
    n_tokens_ends: Array | None = None
    loss_ends: Array | None = None

    def estimates(self, name: str, level: float) -> list[Estimate]:
        """One column with the intervals it has, m estimates."""
        values, ends = getattr(self, name).tolist(), getattr(self, f"{name}_ends")
        pairs = [(None, None)] * len(values) if ends is None else ends.tolist()
        return [Estimate(x, low, high, level) for x, (low, high) in zip(values, pairs, strict=True)]

    def to_dict(self) -> dict[str, list[float]]:
        """Return a JSON object; intervals only where there are any."""
        return {name: column.tolist() for name, column in vars(self).items() if column is not None}

    def __len__(self) -> int:
        return len(self.flops)
