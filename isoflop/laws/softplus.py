"""The smooth step log(1 + e^t) and its slope, for real and complex t of any size."""

import numpy as np

from isoflop.laws.law import Array


def softplus(t: Array) -> Array:
    """Return log(1 + e^t), without overflow.

    Complex t is taken by its real part, so that a complex step passes through.

    >>> softplus(np.array([-800.0, 0.0, 800.0])).round(4).tolist()
    [0.0, 0.6931, 800.0]
    """
    size = np.where(np.real(t) > 0, -t, t)
    return np.where(np.real(t) > 0, t, 0.0) + np.log1p(np.exp(size))


def logistic(t: Array) -> Array:
    """Return 1/(1 + e^-t), the slope of `softplus`.

    >>> logistic(np.array([-800.0, 0.0, 800.0]))
    array([0. , 0.5, 1. ])
    """
    small = np.exp(np.where(np.real(t) > 0, -t, t))
    return np.where(np.real(t) > 0, 1.0, small) / (1.0 + small)


def soft_step(t: Array) -> tuple[Array, Array]:
    """Return `softplus` and its slope together, for one exponential instead of two.

    >>> step, slope = soft_step(np.array([-800.0, 0.0, 800.0]))
    >>> step.round(4).tolist(), slope.tolist()
    ([0.0, 0.6931, 800.0], [0.0, 0.5, 1.0])
    """
    real = np.real(t)
    small = np.exp(np.where(real > 0, -t, t))
    return np.where(real > 0, t, 0.0) + np.log1p(small), np.where(real > 0, 1.0, small) / (
        1.0 + small
    )
