"""The uncertainty of a fit: one way to draw parameters for every interval on offer.

Legend: n runs, p parameters, K draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from isoflop.base.errors import InputError
from isoflop.fitting.solve.solver import Array
from isoflop.fitting.uncertainty.bootstrap import refit_resamples, refit_wild
from isoflop.fitting.uncertainty.covariance import covariance_of_draws
from isoflop.fitting.uncertainty.intervals import (
    EVIDENCE,
    GROUPED,
    RESAMPLED,
    Estimator,
    Groups,
    Interval,
    choose_interval,
    gather_evidence,
    weigh_groups,
)
from isoflop.fitting.uncertainty.noise import NoiseProfile, profile_noise
from isoflop.fitting.uncertainty.spread import (
    Spread,
    spread_even,
    spread_grouped,
    spread_uneven,
    spread_uneven_groups,
)
from isoflop.fitting.uncertainty.tangent import Tangent, carry


@dataclass(frozen=True)
class Uncertainty:
    """How far a fit may be from the truth.

    Args:
        draws: (≤ K, p) parameters, whose percentiles are the intervals.
        covariance: (p, p) in solver coordinates: of logarithms where a parameter is positive.
        interval: what they rest on.
        n_units: runs, or groups where those carry the noise.
    """

    draws: Array
    covariance: Array
    interval: Interval
    n_units: int


@dataclass(frozen=True)
class Diagnosis:
    """What the residuals of a fit say about its noise.

    Args:
        tangent: the fit.
        profile: size and tails of the noise.
        groups: runs that may share noise, if any.
        interval: what the intervals should rest on.
    """

    tangent: Tangent
    profile: NoiseProfile
    groups: Groups | None
    interval: Interval


def diagnose(
    tangent: Tangent, labels: Mapping[str, list[str]], estimator: Estimator = "auto"
) -> Diagnosis:
    """Look at a fit's residuals and settle what its intervals rest on.

    Args:
        tangent: the fit.
        labels: {column: (n_runs,) labels} of groups that may share noise.
        estimator: the interval asked for; auto chooses.

    Raises:
        InputError: groups are needed and there are none.
    """
    profile = profile_noise(tangent)
    groups = weigh_groups(tangent, labels)
    if estimator in ("auto", "profile"):
        chosen = choose_interval(tangent, profile, groups, n_candidates=max(1, len(labels)))
        if estimator == "profile" and chosen.estimator in RESAMPLED:  # draws for predictions only
            chosen = replace(chosen, estimator="robust")
        return Diagnosis(tangent, profile, groups, chosen)
    if estimator in GROUPED and groups is None:
        raise InputError(f"the {estimator} interval needs groups of runs; name their column")
    if estimator == "cluster" and groups is not None and groups.parts is None:
        raise InputError(
            f"`{groups.column}` makes no groups whose offsets these runs could tell from the "
            "law; use a column with more runs in each group, or --interval hc3"
        )
    column = groups.column if groups and estimator in GROUPED else ""
    asked = Interval(estimator, "as asked", column, gather_evidence(profile, groups))
    return Diagnosis(tangent, profile, groups, asked)


def fall_back(diagnosis: Diagnosis) -> Diagnosis:
    """Resample runs where a direction is free and the tangent plane says nothing about it."""
    interval = Interval(
        "case", "for the runs leave a direction free", "", diagnosis.interval.evidence
    )
    return replace(diagnosis, interval=interval)


def measure_uncertainty(diagnosis: Diagnosis, *, n_draws: int, seed: int) -> Uncertainty:
    """Draw parameters from the distribution of a fit.

    Args:
        diagnosis: the fit and what its intervals rest on.
        n_draws: draws, or resamples to refit; 0 for none.
        seed: seed of the draws.
    """
    tangent, interval = diagnosis.tangent, diagnosis.interval
    rng = np.random.default_rng([seed, 1])
    groups = diagnosis.groups if interval.estimator in GROUPED else None
    n_units = len(set(groups.labels)) if groups else len(tangent.residuals)
    if interval.estimator in RESAMPLED:
        draws = _resample(tangent, interval.estimator, groups, n_draws, rng)
        return Uncertainty(
            draws, covariance_of_draws(tangent.problem.law, draws), interval, n_units
        )
    spread = _spread(diagnosis, groups, max(n_draws, 2), rng)
    draws = carry(tangent, spread.steps[:n_draws])
    return Uncertainty(draws, spread.covariance, interval, n_units)


def _spread(
    diagnosis: Diagnosis, groups: Groups | None, n_draws: int, rng: np.random.Generator
) -> Spread:
    tangent = diagnosis.tangent
    if groups and groups.parts and diagnosis.profile.power_p < EVIDENCE:
        members = groups.parts.members
        return spread_uneven_groups(tangent, diagnosis.profile, members, n_draws, rng)
    if groups and groups.parts:
        return spread_grouped(tangent, groups.parts, n_draws, rng)
    if diagnosis.interval.estimator == "hc3":
        return spread_uneven(tangent, diagnosis.profile, n_draws, rng)
    return spread_even(tangent, n_draws, rng)


def _resample(
    tangent: Tangent,
    estimator: Estimator,
    groups: Groups | None,
    n_draws: int,
    rng: np.random.Generator,
) -> Array:
    if estimator == "wild":
        return refit_wild(tangent, n_resamples=n_draws, rng=rng)
    clusters = groups.labels if groups else None
    return refit_resamples(
        tangent.problem, tangent.theta, n_resamples=n_draws, rng=rng, clusters=clusters
    )
