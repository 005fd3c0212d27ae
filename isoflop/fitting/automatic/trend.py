"""A damped trend: log loss whose slope fades and wanders, averaged over how fast it does.

Legend: u = log x, y = log loss, s = dy/du; k damping, q variance of the slope's wandering per
unit of u, noise the variance of a point.

    dy = s du,   ds = −k s du + sqrt(q) dW

Above a constant E a power law of exponent alpha has s = −alpha·(1 − E/L), and its slope fades
as ds/du = −k s with k = alpha·E/L = alpha − |s|: that is where k is expected, with alpha `ALPHA`;
k = 0 is the pure power law, and the wandering is whatever no formula foresees. (Gardner and
McKenzie 1985: the damped trend, as a rule the best of simple forecasts.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.fitting.automatic.curve import Array, Curve

ALPHA = 1.5
"""Exponent towards the limit, for the prior of the damping k = alpha − |s|."""
DAMPING_FACTOR = 0.2
"""Spread of that prior, decades."""
ROUGHNESS = (0.07, 0.25)
"""Prior of sqrt(q) over the mean slope: median, and spread in decades."""
NOISE = (0.01, 1.0)
"""Prior of the noise of log loss: median, and spread in decades."""

DAMPINGS = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8])
ROUGHNESSES = 10 ** np.arange(-2.0, 0.51, 0.25)
NOISES = 10 ** np.arange(-5.0, -0.49, 0.25)
LOG_2PI = float(np.log(2 * np.pi))
NEGLIGIBLE = 1e-5
"""Grid points of less weight than this share of the greatest are dropped."""


@dataclass(frozen=True)
class _Block:
    """The grid points that share one damping; m of them, n points of the curve.

    Args:
        damping: k.
        weight: (m,) posterior weights.
        q: (m,) wandering.
        noise: (m,) variance of the last points.
        turn: (n, n) from covariances with the curve to its uncorrelated coordinates.
        pull: (m, n) coefficients of the wandering in those coordinates.
        shrink: (m, n) q/(q·eigenvalue + noise).
        basis: (n, 2) level and slope in those coordinates.
        line: (m, 2) level and slope at the start.
        spread: (m, 2, 2) their covariance.
    """

    damping: float
    weight: Array
    q: Array
    noise: Array
    turn: Array
    pull: Array
    shrink: Array
    basis: Array
    line: Array
    spread: Array


@dataclass(frozen=True)
class DampedTrend:
    """What a curve's end says about level, slope, damping, wandering and noise.

    Args:
        end: the points.
        blocks: the posterior, damping by damping.
        evidence: log probability density of the points' log losses.
    """

    end: Curve
    blocks: tuple[_Block, ...]
    evidence: float

    @property
    def weights(self) -> dict[float, float]:
        """Posterior weight of each damping; what the forms averaged count."""
        return {block.damping: float(block.weight.sum()) for block in self.blocks}

    @property
    def noise(self) -> float:
        """Expected variance of the noise of the last points."""
        return float(sum(block.weight @ block.noise for block in self.blocks))

    def predict(self, u: Array) -> tuple[Array, Array]:
        """Mean and variance of the noise-free log loss at u, (n_u,) each."""
        z = np.asarray(u, dtype=np.float64) - self.end.u[0]
        known = self.end.u - self.end.u[0]
        means, variances, weights = [], [], []
        for block in self.blocks:
            k = block.damping
            curve = _covariance(z[:, None], known[None], k) @ block.turn
            basis = np.stack([np.ones_like(z), _fade(z, k)], axis=-1)
            means.append(block.line @ basis.T + block.pull @ curve.T)
            own = block.q[:, None] * (_covariance(z, z, k) - block.shrink @ (curve**2).T)
            moved = basis - np.einsum("tn,mn,nj->mtj", curve, block.shrink, block.basis)
            variances.append(own + np.einsum("mti,mij,mtj->mt", moved, block.spread, moved))
            weights.append(block.weight)
        mean, variance, weight = (np.concatenate(part) for part in (means, variances, weights))
        centre = weight @ mean
        return centre, np.maximum(weight @ (variance + (mean - centre) ** 2), 0.0)

    def slope_draws(self, n_draws: int, rng: np.random.Generator) -> Array:
        """Draw the slope s at the curve's end, (n_draws,)."""
        step = 1e-3
        ends = self.end.u[-1] + np.array([0.0, step])
        z, known = ends - self.end.u[0], self.end.u - self.end.u[0]
        means, spreads, weights = [], [], []
        for block in self.blocks:
            k = block.damping
            curve = np.diff(_covariance(z[:, None], known[None], k), axis=0) @ block.turn / step
            basis = np.array([[0.0, np.exp(-k * z[0])]])
            own = block.q * (1 - np.exp(-2 * k * z[0])) / (2 * k)
            own = own - block.q * (block.shrink @ (curve**2).T)[:, 0]
            moved = basis - np.einsum("tn,mn,nj->mtj", curve, block.shrink, block.basis)
            own = own + np.einsum("mti,mij,mtj->mt", moved, block.spread, moved)[:, 0]
            means.append((block.line @ basis.T + block.pull @ curve.T)[:, 0])
            spreads.append(np.sqrt(np.maximum(own, 0.0)))
            weights.append(block.weight)
        mean, spread, weight = (np.concatenate(part) for part in (means, spreads, weights))
        chosen = rng.choice(len(weight), size=n_draws, p=weight / weight.sum())
        return mean[chosen] + spread[chosen] * rng.standard_normal(n_draws)


def infer_trend(end: Curve) -> DampedTrend:
    """Weigh every damping, wandering and noise of the grid by the curve's end.

    Level and slope have flat priors and are integrated out, so each weight is a marginal
    likelihood times the prior of the grid point. One eigendecomposition a damping serves all
    wanderings and noises.
    """
    found = [_weigh(end, float(k)) for k in DAMPINGS]
    top = max(float(log_weight.max()) for _, log_weight in found)
    likelihood = top + np.log(sum(np.exp(log_weight - top).sum() for _, log_weight in found))
    weights = [np.exp(log_weight - top) for _, log_weight in found]
    total = sum(float(w[w > NEGLIGIBLE].sum()) for w in weights)
    blocks = [
        _keep(block, weight / total, weight > NEGLIGIBLE)
        for (block, _), weight in zip(found, weights, strict=True)
        if (weight > NEGLIGIBLE).any()
    ]
    return DampedTrend(end, tuple(blocks), float(likelihood) - _log_volume(end))


def _weigh(end: Curve, k: float) -> tuple[_Block, Array]:
    """All grid points of one damping, with their log weights."""
    z = end.u - end.u[0]
    roughness, noise_sd = (g.ravel() for g in np.meshgrid(ROUGHNESSES, NOISES, indexing="ij"))
    q, noise = (roughness * end.slope) ** 2, noise_sd**2
    scale = 1 / np.sqrt(end.noise)
    eigen, vectors = np.linalg.eigh(_covariance(z[:, None], z[None], k) * scale[:, None] * scale)
    turn = scale[:, None] * vectors
    basis = turn.T @ np.stack([np.ones_like(z), _fade(z, k)], axis=-1)
    y = turn.T @ end.y
    variance = q[:, None] * np.maximum(eigen, 0.0) + noise[:, None]
    information = np.einsum("mn,ni,nj->mij", 1 / variance, basis, basis)
    spread = np.linalg.inv(information)
    line = np.einsum("mij,mj->mi", spread, (y / variance) @ basis)
    rest = y - line @ basis.T
    log_weight = (
        -0.5 * (np.log(variance) + rest**2 / variance).sum(1)
        - 0.5 * np.log(np.linalg.det(information))
        + _log_prior(k, roughness, noise_sd, end.slope)
    )
    shrink = q[:, None] / variance
    block = _Block(k, np.ones_like(q), q, noise, turn, shrink * rest, shrink, basis, line, spread)
    return block, log_weight


def _log_prior(k: float, roughness: Array, noise_sd: Array, slope: float) -> Array:
    expected = max(ALPHA - slope, 0.1)
    return -0.5 * (
        (np.log10(k / expected) / DAMPING_FACTOR) ** 2
        + (np.log10(roughness / ROUGHNESS[0]) / ROUGHNESS[1]) ** 2
        + (np.log10(noise_sd / NOISE[0]) / NOISE[1]) ** 2
    )


def _log_volume(end: Curve) -> float:
    """What a weight of the grid is to be divided by to be a probability density.

    Level and slope at the start count as normal with a standard deviation of one, so wide that
    only the density at the centre matters.
    """
    roughness, noise_sd = (g.ravel() for g in np.meshgrid(ROUGHNESSES, NOISES, indexing="ij"))
    priors = [np.exp(_log_prior(float(k), roughness, noise_sd, end.slope)) for k in DAMPINGS]
    n = len(end.u)
    return float(np.log(np.sum(priors)) + 0.5 * (n * LOG_2PI + np.log(end.noise).sum()))


def _keep(block: _Block, weight: Array, kept: NDArray[np.bool_]) -> _Block:
    return _Block(
        block.damping, weight[kept], block.q[kept], block.noise[kept], block.turn,
        block.pull[kept], block.shrink[kept], block.basis, block.line[kept], block.spread[kept],
    )  # fmt: skip


def _fade(z: Array, k: float) -> Array:
    """∫_0^z e^(−kt) dt: what a slope of one at the start has added by z."""
    return -np.expm1(-k * z) / k


def _covariance(a: Array, b: Array, k: float) -> Array:
    """Covariance of the wandering's part of y at a and b, for q = 1.

    ∫_0^min(a,b) (1 − e^(−k(a−v)))(1 − e^(−k(b−v)))/k² dv, both starting at zero.
    """
    low, high = np.minimum(a, b), np.maximum(a, b)
    return (
        low - _fade(low, k)
        - (np.exp(-k * (high - low)) - np.exp(-k * high)) / k
        + (np.exp(-k * (high - low)) - np.exp(-k * (high + low))) / (2 * k)
    ) / k**2  # fmt: skip
