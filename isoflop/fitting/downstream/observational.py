"""Observational scaling: predict a task from the models others have trained, without training any.

Models of different families turn compute into the same few capabilities with different
efficiency, and capabilities into the score of a task in the same way (Ruan et al. 2024).

Legend: m a model, f its family, C training FLOPs, S capabilities (k), E score of the target;
S_m = theta_f·ln C_m + nu_f and E_m = floor + (ceiling - floor)·sigma(beta·S_m + alpha).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.base.estimate import LEVEL, Estimate, interval_from_draws
from isoflop.fitting.downstream.capability import Array, impute_scores
from isoflop.fitting.downstream.observational_pass import Models, Pipeline, run_pipeline
from isoflop.runs.table import RunTable

NOISE_DRAWS = 20


@dataclass(frozen=True)
class Observational:
    """A fitted observational law.

    Args:
        fitted: the pass through all models.
        resampled: passes through resampled models of each family.
        target: column predicted.
        n_models: models fitted.
        level: confidence level of the intervals.
    """

    fitted: Pipeline
    resampled: tuple[Pipeline, ...]
    target: str
    n_models: int
    level: float = LEVEL


def fit_observational(
    table: RunTable,
    *,
    benchmarks: Sequence[str],
    target: str,
    n_components: int = 3,
    n_resamples: int = 200,
    seed: int = 0,
) -> Observational:
    """Fit capabilities, the families' lines in compute and the sigmoid of the target.

    To hold out larger models, select the smaller ones first: nothing of the others is used.

    Args:
        table: models with `family`, `flops`, the target and the benchmarks' scores, whose gaps
            are imputed.
        benchmarks: columns of scores, 0 to 1, better is more.
        target: column of the score to predict, 0 to 1.
        n_components: capabilities kept.
        n_resamples: bootstrap passes.
        seed: seed of the bootstrap.

    Raises:
        UnknownNameError: a column is absent.
        InputError: a family with one compute only, or too few models.
    """
    for name in ("family", "flops", target, *benchmarks):
        if name not in table:
            raise UnknownNameError("column", name, table.columns)
    models = Models(
        scores=impute_scores(np.stack([table.numbers(name) for name in benchmarks], axis=1)),
        families=np.array(table.text("family")),
        flops=table.numbers("flops"),
        target=table.numbers(target),
    )
    _check(models, n_components)
    rng = np.random.default_rng(seed)
    fitted = run_pipeline(models, n_components)
    return Observational(
        fitted=fitted,
        resampled=tuple(
            run_pipeline(models.take(_resample(models, rng)), n_components, fitted)
            for _ in range(n_resamples)
        ),
        target=target,
        n_models=len(table),
    )


def predict_observational(
    fit: Observational, family: str, flops: Array, *, future: bool = True
) -> list[Estimate]:
    """Predict the target's score for models of a family at some compute.

    Args:
        fit: from `fit_observational`.
        family: one of the families fitted.
        flops: (n,) float, training FLOPs.
        future: for one model not yet trained; else for the mean of many.

    Raises:
        UnknownNameError: no such family.
    """
    if family not in fit.fitted.lines:
        raise UnknownNameError("family", family, list(fit.fitted.lines))
    flops = np.asarray(flops, dtype=np.float64)
    values = fit.fitted.score(fit.fitted.index(family, flops))
    rng = np.random.default_rng(0)
    draws = [_draw(pipeline, family, flops, future, rng) for pipeline in fit.resampled]
    stacked = np.concatenate(draws) if draws else np.empty((0, len(flops)))
    return [
        interval_from_draws(float(value), np.clip(stacked[:, k], 0.0, 1.0), level=fit.level)
        for k, value in enumerate(values)
    ]


def equivalent_flops(fit: Observational, scores: Array, family: str) -> Array:
    """Return the compute at which a family would be as able as some models, for this target.

    ln C = (beta·S_m - beta·nu_f)/(beta·theta_f), Ruan's f-equivalent FLOPs.

    Args:
        fit: from `fit_observational`.
        scores: (n, b) float, complete scores on the benchmarks.
        family: the family that serves as the unit.

    Returns:
        (n,) FLOPs.
    """
    if family not in fit.fitted.lines:
        raise UnknownNameError("family", family, list(fit.fitted.lines))
    pipeline = fit.fitted
    theta, nu = pipeline.lines[family]
    ability = pipeline.capabilities.measure(scores) @ pipeline.beta
    return np.exp((ability - nu @ pipeline.beta) / (theta @ pipeline.beta))


def _check(models: Models, n_components: int) -> None:
    """Refuse what cannot be fitted."""
    fewest = n_components + 4  # weights, offset, floor, ceiling, and one to spare
    if len(models.flops) < fewest:
        raise InputError(
            f"{len(models.flops)} models for {n_components} capabilities; at least {fewest} needed"
        )
    if np.isnan(models.flops).any() or np.isnan(models.target).any():
        raise InputError("every model needs its flops and its target score; drop those without")
    for family in np.unique(models.families):
        if len(np.unique(models.flops[models.families == family])) < 2:
            raise InputError(f"family {family} has one compute only; a line in compute needs two")


def _resample(models: Models, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw models with replacement within each family, until each has two amounts of compute."""
    rows = []
    for family in np.unique(models.families):
        mine = np.flatnonzero(models.families == family)
        drawn = rng.choice(mine, len(mine))
        while len(np.unique(models.flops[drawn])) < 2:
            drawn = rng.choice(mine, len(mine))
        rows.append(drawn)
    return np.concatenate(rows)


def _draw(
    pipeline: Pipeline, family: str, flops: Array, future: bool, rng: np.random.Generator
) -> Array:
    """Scores by one pass, (draws, n), with the scatter of single models if asked for."""
    index = pipeline.index(family, flops)[None]
    if not future:
        return pipeline.score(index)
    shape = (NOISE_DRAWS, len(flops))
    scattered = pipeline.score(index + rng.choice(pipeline.scatter, shape))
    return scattered + rng.choice(pipeline.residuals, shape)
