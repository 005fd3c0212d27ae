"""From noise to parameters: covariance of a fit and draws from its distribution.

Draws are made in the tangent plane with Student's tails for the degrees of freedom that
measured the noise, then carried to parameters (see `carry`): their plain
percentiles are confidence intervals, of parameters and of whatever follows from them.

Legend: n runs, p parameters, K draws.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtri

from isoflop.fitting.solve.solver import Array
from isoflop.fitting.uncertainty.components import Components, group_gram
from isoflop.fitting.uncertainty.covariance import inverse_gram
from isoflop.fitting.uncertainty.noise import NoiseProfile, local_slopes
from isoflop.fitting.uncertainty.tangent import Tangent, finite_part


@dataclass(frozen=True)
class Spread:
    """How far a fit may be from the truth.

    Args:
        covariance: (p, p) in solver coordinates.
        steps: (K, p) draws in the tangent plane.
    """

    covariance: Array
    steps: Array


def spread_even(tangent: Tangent, n_draws: int, rng: np.random.Generator) -> Spread:
    """Noise of one size, independent from run to run: s²·(JᵀJ)⁻¹ and Student's t.

    Under a robust loss the noise is the pseudo-residuals', which makes this Huber's sandwich.
    """
    covariance = tangent.variance * tangent.gram_inverse
    scale = _student(tangent.freedom, n_draws, rng)[:, None]
    return Spread(covariance, scale * _normal(covariance, n_draws, rng))


def spread_uneven(
    tangent: Tangent, profile: NoiseProfile, n_draws: int, rng: np.random.Generator
) -> Spread:
    """Noise whose size differs from run to run: the sandwich HC3 and Student's t.

    (JᵀCJ)⁻¹·Jᵀdiag(psi²/(1 − h)²)J·(JᵀCJ)⁻¹ with C the mean slope of psi at each run and h the
    leverages; for squares C = 1 and psi = r (MacKinnon & White 1985, eq. 12). A few runs of high
    leverage carry most of it, so its degrees of freedom are far fewer than n − p.
    """
    scores, inverse = _scores(tangent, profile)
    half = scores @ inverse
    covariance = half.T @ half
    freedom = _sandwich_freedom(tangent)
    scale = _student(freedom, n_draws, rng)[:, None]
    return Spread(covariance, scale * _normal(covariance, n_draws, rng))


def spread_uneven_groups(
    tangent: Tangent,
    profile: NoiseProfile,
    members: NDArray[np.intp],
    n_draws: int,
    rng: np.random.Generator,
) -> Spread:
    """Noise that groups share and whose size differs from run to run: the cluster sandwich.

    As `spread_uneven`, with the scores of a group added up before they are squared, times
    G/(G − 1) (Liang & Zeger 1986, Biometrika 73, 13). Student's degrees of freedom are the
    number of equal groups that would share the leverage as these do.
    """
    scores, inverse = _scores(tangent, profile)
    n_groups = int(members.max()) + 1
    totals = np.zeros((n_groups, scores.shape[1]))
    np.add.at(totals, members, scores @ inverse)
    covariance = totals.T @ totals * (n_groups / (n_groups - 1))
    shares = np.zeros_like(totals)
    np.add.at(shares, members, (tangent.jacobian @ inverse) ** 2)
    with np.errstate(invalid="ignore"):
        equal = np.nanmean(shares.sum(axis=0) ** 2 / np.sum(shares**2, axis=0))
    freedom = float(np.clip(equal - 1, 1.0, n_groups - 1.0))
    scale = _student(freedom, n_draws, rng)[:, None]
    return Spread(covariance, scale * _normal(covariance, n_draws, rng))


def _scores(tangent: Tangent, profile: NoiseProfile) -> tuple[Array, Array]:
    """Scores psi/(1 − h)·J of the runs, (n, p), and the bread (JᵀCJ)⁻¹, (p, p)."""
    weighted = tangent.jacobian * np.sqrt(local_slopes(tangent, profile))[:, None]
    inverse = finite_part(inverse_gram(weighted))
    leverage = np.einsum("np,pq,nq->n", weighted, inverse, weighted)
    score = tangent.noise * tangent.slope / (1 - np.clip(leverage, 0, 1 - 1e-6))
    return tangent.jacobian * score[:, None], inverse


def _sandwich_freedom(tangent: Tangent) -> float:
    """Degrees of freedom of a sandwich's variances, the mean over parameters.

    Satterthwaite's, of a sum of weighted squared residuals under even noise (Bell & McCaffrey
    2002, Survey Methodology 28, 169): 2·mean²/variance with the residuals' covariance I − QQᵀ.
    """
    basis, _ = np.linalg.qr(tangent.jacobian)
    share = 1 - np.sum(basis**2, axis=1)
    share = np.maximum(share, 1e-6)
    shares = (tangent.jacobian @ finite_part(tangent.gram_inverse)) ** 2 / share[:, None]
    freedoms = []
    for weight in shares.T:
        if 0 < weight.max() < np.inf:
            even = weight / weight.max()  # the ratio below is free of its size
            overlap = basis.T @ (even[:, None] * basis)
            bottom = float(even**2 @ (2 * share - 1)) + float(np.sum(overlap**2))
            freedoms.append(float(even @ share) ** 2 / bottom)
    return float(np.clip(np.mean(freedoms), 1.0, tangent.freedom)) if freedoms else 1.0


def spread_grouped(
    tangent: Tangent, parts: Components, n_draws: int, rng: np.random.Generator
) -> Spread:
    """Noise with offsets that the runs of a group share.

    A draw takes the variances of runs and of groups from their own sampling distributions
    (generalised confidence intervals; Weerahandi 1993, JASA 88, 899), so that few groups make
    wide intervals.
    """
    by_group = group_gram(tangent, parts.members)
    within = parts.within * _student(parts.within_freedom, n_draws, rng) ** 2
    between = parts.between * _student(parts.between_freedom, n_draws, rng) ** 2
    shared = np.maximum(0.0, (between - within) / parts.share)
    steps = np.sqrt(within)[:, None] * _normal(tangent.gram_inverse, n_draws, rng)
    steps += np.sqrt(shared)[:, None] * _normal(by_group, n_draws, rng)
    covariance = parts.within * tangent.gram_inverse + parts.shared * by_group
    return Spread(covariance, steps)


def _normal(covariance: Array, n_draws: int, rng: np.random.Generator) -> Array:
    """(K, p) normal draws whose own covariance is the one asked for, in pairs of ±.

    Both, and one draw in every stratum of every direction, take chance out of the intervals.
    """
    width, strata = len(covariance), (n_draws + 1) // 2
    ranks = rng.permuted(np.tile(np.arange(strata), (width, 1)), axis=1).T
    half = ndtri((ranks + rng.random((strata, width))) / strata)
    draws = np.concatenate([half, -half])[:n_draws]
    if len(half) > 2 * width:
        factor = np.linalg.cholesky(draws.T @ draws / n_draws)
        draws = np.linalg.solve(factor, draws.T).T
    return draws @ _root(covariance).T


def _student(freedom: float, n_draws: int, rng: np.random.Generator) -> Array:
    """(K,) factors sqrt(f/chi²_f) that turn normal draws into Student's, evenly spaced."""
    even = (rng.permutation(n_draws) + 0.5) / n_draws
    return np.sqrt(freedom / chdtri(freedom, even))


def _root(covariance: Array) -> Array:
    """A square root of a covariance; directions without a finite variance get none."""
    finite = finite_part(covariance)
    size = np.sqrt(np.maximum(np.diag(finite), 0.0))
    unit = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(finite / unit / unit[:, None])
    return unit[:, None] * vectors * np.sqrt(np.maximum(values, 0.0))
