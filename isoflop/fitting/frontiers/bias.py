"""The error of parabolas, as a value; `parabola_bias` estimates it."""

from dataclasses import dataclass

import numpy as np

from isoflop.base.estimate import shorten


@dataclass(frozen=True)
class ParabolaBias:
    """The error of IsoFLOP parabolas on the surface fitted to the same runs, without noise.

    Args:
        exponent: a found minus the surface's own a.
        log_n_opt: log N* found minus the surface's own, at `flops`.
        flops: the compute where, a hundred times the largest.
        half_width: factor from the middle of a grid to its ends, geometric mean of the budgets.
        offset: middle of a grid over the optimum, geometric mean of the budgets.
        drift: factor by which that ratio changes a decade of compute.
    """

    exponent: float
    log_n_opt: float
    flops: float
    half_width: float
    offset: float
    drift: float

    def to_dict(self) -> dict[str, float]:
        """Return a JSON object."""
        return dict(vars(self))

    def __str__(self) -> str:
        return (
            f"{100 * np.expm1(self.log_n_opt):+.1f} % in N* at {shorten(self.flops)} FLOPs and "
            f"{self.exponent:+.4f} in a; grids ×{self.half_width:.3g} around {self.offset:.2f} of "
            f"the optimum, drifting ×{self.drift:.2f} a decade"
        )
