"""The winner's curse: the best run at each compute was chosen for its luck too.

How much the frontier's loss is biased by it is measured on simulated studies: the Chinchilla
surface fitted to the same runs plus normal noise of two kinds, shared by all runs of a size and
each run's own, as large as the residuals say.
"""

from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import IsoflopError
from isoflop.fitting.frontiers.optima import Array
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.runs.checks import Finding
from isoflop.runs.table import RunTable

N_STUDIES = 60
N_STARTS = 24
N_COMPUTES = 150
NEGLIGIBLE = 0.001
"""Relative bias of the loss below which the finding is a note."""


@dataclass(frozen=True)
class Curve:
    """Loss against compute of one size, seeds averaged.

    Args:
        log_flops: (k,) log FLOPs, ascending.
        log_loss: (k,) mean log loss.
        log_tokens: (k,) mean log tokens.
        n_params: the size.
    """

    log_flops: Array
    log_loss: Array
    log_tokens: Array
    n_params: float

    def loss_at(self, flops: Array, log_loss: Array | None = None) -> Array:
        """Log loss by interpolation, infinite where the size was not measured.

        Args:
            flops: (m,) compute.
            log_loss: (k,) log loss of another study of the same runs.
        """
        log_loss = self.log_loss if log_loss is None else log_loss
        return np.interp(np.log(flops), self.log_flops, log_loss, np.inf, np.inf)


def estimate_curse(
    table: RunTable, curves: list[Curve], flops: Array, *, seed: int = 0
) -> float | None:
    """Estimate the relative bias of the frontier's loss, negative when too low.

    Args:
        table: the runs.
        curves: loss against compute, one a size.
        flops: (m,) computes at which the best size was read.
        seed: of the simulated studies.

    Returns:
        Mean log ratio of the simulated envelope to the noise-free one, where the best
        size has a measured neighbour on either side; None where no surface can be fitted.
    """
    try:
        spec = FitSpec(n_resamples=0, n_starts=N_STARTS, seed=seed)
        fit = fit_parametric(table, ChinchillaLaw(), spec)
    except IsoflopError:
        return None
    if not fit.determined:
        return None
    flops = flops[:: max(1, len(flops) // N_COMPUTES)]
    smooth = [_surface(fit.theta, curve) for curve in curves]
    exact = np.stack([c.loss_at(flops, s) for c, s in zip(curves, smooth, strict=True)])
    best = np.argmin(exact, axis=0)
    rivals = np.pad(np.isfinite(exact), ((1, 1), (0, 0)))
    contested = np.take_along_axis(rivals[:-2] & rivals[2:], best[None], axis=0)[0]
    if not contested.any():
        return None
    residuals = [curve.log_loss - line for curve, line in zip(curves, smooth, strict=True)]
    shared, own = noise_sizes(residuals, len(fit.theta))
    rng = np.random.default_rng(seed)
    exact, flops = exact[:, contested].min(axis=0), flops[contested]
    shifts = []
    for _ in range(N_STUDIES):
        study = np.stack(
            [
                c.loss_at(flops, line + shared * rng.standard_normal() + _own(own, line, rng))
                for c, line in zip(curves, smooth, strict=True)
            ]
        )
        shifts.append((study.min(axis=0) - exact).mean())
    return float(np.mean(shifts))


def noise_sizes(residuals: list[Array], n_parameters: int) -> tuple[float, float]:
    """Split residuals into noise shared within a size and noise of single runs.

    One-way analysis of variance, the sizes' degrees of freedom less the surface's parameters.

    Args:
        residuals: (k,) of each size.
        n_parameters: of the surface.

    Returns:
        Standard deviations (shared, own).

    >>> noise_sizes([np.array([0.1, 0.1]), np.array([-0.1, -0.1]), np.array([0.0, 0.0])], 0)
    (0.081..., 0.0)
    """
    n_runs = sum(len(part) for part in residuals)
    within = sum(float(np.sum((part - part.mean()) ** 2)) for part in residuals)
    own = within / max(1, n_runs - len(residuals))
    means = np.array([float(part.mean()) for part in residuals])
    between = float(means @ means) / max(1, len(means) - n_parameters)
    shared = between - own * float(np.mean([1 / len(part) for part in residuals]))
    return float(np.sqrt(max(shared, 0.0))), float(np.sqrt(own))


def report_curse(bias: float | None) -> Finding:
    """Say by how much the frontier's loss is too low."""
    size = "by about the run-to-run noise"
    if bias is not None:
        size = f"by about {100 * -bias:.2f} % (simulated with these runs' residuals)"
    return Finding(
        code="winners-curse",
        severity="note" if bias is None or abs(bias) < NEGLIGIBLE else "warning",
        evidence="the envelope keeps the luckiest run at each compute: its loss is too low " + size,
        consequence="a law extrapolated from the envelope promises a loss that no run keeps",
        remedy="use the envelope to look, a parametric fit to plan",
    )


def _own(size: float, line: Array, rng: np.random.Generator) -> Array:
    return size * rng.standard_normal(len(line))


def _surface(theta: Array, curve: Curve) -> Array:
    tokens = np.exp(curve.log_tokens)
    runs = {"n_params": np.full_like(tokens, curve.n_params), "n_tokens": tokens}
    return np.log(ChinchillaLaw().predict(theta, runs))
