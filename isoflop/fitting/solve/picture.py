"""The objective near a point: value, gradient and two Hessians, for every row of a batch.

Legend: B batch, n runs, p parameters; phi solver coordinates; r residuals.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.solve.problem import Batch, Rows, gram
from isoflop.fitting.solve.quadratic import eliminate, tame
from isoflop.laws.law import Array


@dataclass(frozen=True)
class Picture:
    """The objective near a point, a row a batch member.

    Args:
        value: (B,) sum of losses; infinite where the law overflows.
        gradient: (B, p) by solver coordinates.
        safe: (B, p, p) Hessian of reweighted least squares, whose steps only ever descend.
        newton: (B, p, p) Hessian with the loss's own curvature, whose steps converge fast.
        scale: (B, p) curvature of each coordinate with the linear ones eliminated.
        decrease: (B,) largest decrease that one coordinate alone still promises.
    """

    value: Array
    gradient: Array
    safe: Array
    newton: Array
    scale: Array
    decrease: Array

    def take(self, rows: Rows) -> "Picture":
        """Keep some rows."""
        return Picture(*(getattr(self, part.name)[rows] for part in fields(self)))

    def put(self, rows: Rows, other: "Picture", kept: NDArray[np.bool_]) -> None:
        """Overwrite rows with the kept ones of another picture."""
        for part in fields(self):
            getattr(self, part.name)[rows] = getattr(other, part.name)[kept]


def join_pictures(pictures: list[Picture]) -> Picture:
    """Put the rows of several pictures under one another."""
    parts = [[getattr(picture, part.name) for picture in pictures] for part in fields(Picture)]
    return Picture(*(np.concatenate(part) for part in parts))


def take_picture(batch: Batch, phi: Array) -> Picture:
    """Expand the objective at solver coordinates (B, p)."""
    space, objective = batch.space, batch.problem.objective
    theta = space.leave(phi)
    predicted, columns = batch.look(theta)
    residuals, slope = batch.compare(predicted)
    pull = batch.weights * objective.slope_over_residual(residuals)
    bend = batch.weights * objective.curvature(residuals)
    chain = space.chain(theta)
    square = slope * slope
    pair = chain[:, :, None] * chain[:, None, :]
    gradient = tame((columns @ (pull * residuals * slope)[..., None])[..., 0] * chain)
    safe = tame(pair * gram(columns, pull * square))
    newton = safe
    if not np.array_equal(pull, bend):
        newton = tame(pair * gram(columns, bend * square))
    pressed = ((phi <= space.floor) & (gradient > 0)) | ((phi >= space.ceiling) & (gradient < 0))
    scale, left = eliminate(safe, np.where(pressed, 0.0, gradient), space.linear)
    decrease = np.where(pressed, 0.0, left * left / (scale + 1e-300)).max(axis=1)
    return Picture(batch.total(residuals), gradient, safe, newton, scale, decrease)
