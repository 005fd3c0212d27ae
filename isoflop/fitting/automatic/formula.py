"""One formula for a whole curve, believed in so far as it foresaw the curve's own end.

Legend: u = log x, y = log loss, L = e^y; L = E + A·x^-alpha, so that log(L − E) is a line in u;
J = dlog(L − E)/dlog L = L/(L − E).
"""

from dataclasses import dataclass

import numpy as np

from isoflop.fitting.automatic.curve import Array, Curve
from isoflop.fitting.automatic.trend import LOG_2PI, NOISE, NOISES, DampedTrend

SHARES = np.arange(0.0, 0.985, 0.02)
"""Limits E tried, in shares of the lowest loss; zero is the pure power law."""

PRIOR_ODDS = 1e-6
"""Of one formula against a trend that fades and wanders. So low because the residuals of curves
are correlated, which makes the evidence for a formula look stronger than it is; runs that do
follow a power law still raise it to certainty within a dozen points."""

FEWEST_BEFORE = 4
"""Points before the end without which nothing can have foreseen it."""


@dataclass(frozen=True)
class Formula:
    """A power law above a constant through a whole curve, averaged over the constant.

    Args:
        odds: of the formula against the trend, given the curve.
        limits: (s,) E.
        weights: (s, m) posterior of limit and noise.
        lines: (s, 2) level at the last point and slope of log(L − E).
        spreads: (s, 2, 2) their covariance for a noise of one.
        last: u of the last point.
    """

    odds: float
    limits: Array
    weights: Array
    lines: Array
    spreads: Array
    last: float

    @property
    def weight(self) -> float:
        """Probability of the formula."""
        return self.odds / (1 + self.odds)

    @property
    def noise(self) -> float:
        """Expected variance of the noise of the last points."""
        return float(self.weights.sum(0) @ NOISES**2)

    def predict(self, u: Array) -> tuple[Array, Array]:
        """Mean and variance of the noise-free log loss at u, (n_u,) each."""
        basis = np.stack([np.ones_like(u), u - self.last], axis=-1)
        reducible = np.exp(self.lines @ basis.T)
        means = np.log(self.limits[:, None] + reducible)
        share = reducible / (self.limits[:, None] + reducible)
        own = np.einsum("ti,sij,tj->st", basis, self.spreads, basis) * share**2
        weight = self.weights.sum(1)
        mean = weight @ means
        return mean, weight @ (means - mean) ** 2 + (self.weights @ NOISES**2) @ own

    def slope_draws(self, n_draws: int, rng: np.random.Generator) -> Array:
        """Draw the slope dy/du at the curve's last point, (n_draws,)."""
        shares = self.weights.ravel() / self.weights.sum()
        limit, noise = np.unravel_index(
            rng.choice(len(shares), size=n_draws, p=shares), self.weights.shape
        )
        root = np.linalg.cholesky(self.spreads)[limit] * NOISES[noise, None, None]
        lines = self.lines[limit] + np.einsum("nij,nj->ni", root, rng.standard_normal((n_draws, 2)))
        reducible = np.exp(lines[:, 0])
        return lines[:, 1] * reducible / (self.limits[limit] + reducible)


def weigh_formula(curve: Curve, trend: DampedTrend) -> Formula | None:
    """Compare how probable the formula, fitted to what lies before, made the end of a curve.

    Returns:
        The formula with its odds against the trend; None where too little lies before the end.
    """
    if curve.start < FEWEST_BEFORE:
        return None
    limits = SHARES * float(np.exp(curve.y.min()))
    prior = -0.5 * (np.log10(NOISES / NOISE[0]) / NOISE[1]) ** 2
    before = [_fit_line(curve, limit, curve.start)[0] + prior for limit in limits]
    fitted = [_fit_line(curve, limit, len(curve.u)) for limit in limits]
    log_weight = np.array([evidence for evidence, _, _ in fitted]) + prior
    total = float(np.logaddexp.reduce(log_weight, axis=None))
    log_odds = (
        total
        - float(np.logaddexp.reduce(np.array(before), axis=None))
        - trend.evidence
        + np.log(PRIOR_ODDS)
    )
    return Formula(
        odds=float(np.exp(np.clip(log_odds, -700, 700))),
        limits=limits,
        weights=np.exp(log_weight - total),
        lines=np.array([line for _, line, _ in fitted]),
        spreads=np.array([spread for _, _, spread in fitted]),
        last=float(curve.u[-1]),
    )


def _fit_line(curve: Curve, limit: float, stop: int) -> tuple[Array, Array, Array]:
    """Line through log(L − E) of the first points: log density by noise (m,), line, covariance.

    The density is that of log losses; level and slope are integrated out.
    """
    u, loss = curve.u[:stop] - curve.u[-1], np.exp(curve.y[:stop])
    stretch = loss / (loss - limit)
    target = np.log(loss - limit)
    inverse = 1 / (stretch**2 * curve.noise[:stop])
    basis = np.stack([np.ones_like(u), u], axis=-1)
    information = basis.T @ (inverse[:, None] * basis)
    spread = np.linalg.inv(information).astype(np.float64)
    line = spread @ (basis.T @ (inverse * target))
    rest = target - basis @ line
    fixed = 0.5 * np.log(inverse).sum() + np.log(stretch).sum()
    fixed -= 0.5 * np.log(np.linalg.det(information)) + 0.5 * (stop - 2) * LOG_2PI
    evidence = fixed - (stop - 2) * np.log(NOISES) - 0.5 * (inverse @ rest**2) / NOISES**2
    return evidence, line, spread
