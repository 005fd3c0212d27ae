"""What holds a plan back: its model, its distinct tokens, or repeats worn out.

Legend: N parameters, E tokens processed, U distinct tokens among them, L loss.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError
from isoflop.base.estimate import LEVEL, Estimate, interval_from_draws, shorten
from isoflop.fitting.automatic.automatic import AutomaticFit
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.laws.catalog import rounding_warning
from isoflop.laws.law import Array
from isoflop.plan.contradiction.crossing import FIRST_EPOCH
from isoflop.plan.contradiction.extractor import (
    IGNORANT,
    JOINT,
    R_D_STAR,
    Extractor,
    effective_epochs,
    extractor_efficiency,
    make_extractor,
)
from isoflop.plan.contradiction.margins import (
    BALANCED,
    REGIMES,
    judge_margins,
    measure_margins,
    shares_of,
)
from isoflop.plan.contradiction.trend import Source, Trend, require_sound, take_trend
from isoflop.plan.optimum.choose import AnyLaw, choose_law

NEAR = 0.1
"""Margins of parameters and of data that differ by less than this share are near balance."""


@dataclass(frozen=True)
class PlanRegime:
    """Where a plan stands against its data.

    Args:
        law: name of the law.
        n_params: N.
        n_tokens: E, tokens processed.
        n_tokens_unique: U, distinct tokens among them.
        effective_epochs: E/U.
        loss: L(N, E, U), of the law's mean.
        floor: L(D = E), of a model without limit on E distinct tokens.
        efficiency: extractor efficiency eta(N, E).
        one_epoch: loss of N after one pass over the U tokens.
        converged: loss of a model without limit that reads them until nothing is gained.
        first_epoch_ratio: one_epoch over converged, both above the law's irreducible loss.
        margins: {`parameters`, `data`, `epochs`}: nats that one e-fold more of N, of distinct
            tokens at the same number of epochs, and of epochs on the same tokens is worth.
        regime: one of `REGIMES`.
        shares: {regime: share of the fit's draws}; empty without draws.
        knows_repeats: whether the law, or the plan, has to do with repeated tokens.
        notes: what a reader should know.
    """

    law: str
    n_params: float
    n_tokens: float
    n_tokens_unique: float
    effective_epochs: float
    loss: Estimate
    floor: Estimate
    efficiency: Estimate
    one_epoch: Estimate
    converged: Estimate
    first_epoch_ratio: Estimate
    margins: dict[str, Estimate]
    regime: str
    shares: dict[str, float]
    knows_repeats: bool
    notes: tuple[str, ...]

    @property
    def first_epoch_credible(self) -> bool:
        """Whether one epoch stops at least 10 % above what its tokens hold."""
        return self.first_epoch_ratio.value >= FIRST_EPOCH

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object, in full precision."""
        plain = ("law", "n_params", "n_tokens", "n_tokens_unique", "effective_epochs", "regime")
        estimates = ("loss", "floor", "efficiency", "one_epoch", "converged", "first_epoch_ratio")
        return {
            **{name: getattr(self, name) for name in plain},
            **{name: getattr(self, name).to_dict() for name in estimates},
            "first_epoch_credible": self.first_epoch_credible,
            "margins": {name: margin.to_dict() for name, margin in self.margins.items()},
            "shares": dict(self.shares),
            "notes": list(self.notes),
        }


def find_regime(
    law: AnyLaw | str,
    n_params: float,
    n_tokens: float,
    *,
    n_tokens_unique: float | None = None,
    data_law: Source | None = None,
    ignorant: float = IGNORANT,
) -> PlanRegime:
    """Say what limits a plan, and how near it comes to all that its tokens hold.

    Balanced: an e-fold of parameters is worth an e-fold of data within 1 %, as compute-optimal
    plans are. Model-limited: it is worth more, as on every plan smaller. Else the data limit it:
    repeat-limited where further epochs are worth less than half of as many fresh tokens,
    unique-data-limited where they are not.

    Args:
        law: a joint law of N and D (or N, D and U): a fit, an entry, a name or a file.
        n_params: N.
        n_tokens: E, tokens processed.
        n_tokens_unique: U, distinct tokens at hand; all of them distinct if left out.
        data_law: L(D) to measure efficiency by; the limit of the joint law by default. Against
            another law efficiency may exceed one: that is the contradiction.
        ignorant: L_0, nats/token; ln 50257 by default, GPT-2's vocabulary.

    Raises:
        InputError: amounts that are not positive, or a law of other variables.
        RefusalError: a fit that did not converge, or is not identified.

    >>> plan = find_regime("muennighoff-2023-repeated", 7e9, 1.6e12, n_tokens_unique=4e10)
    >>> plan.regime, plan.effective_epochs
    ('repeat-limited', 40.0)
    """
    chosen = choose_law(law) if isinstance(law, str) else law
    if isinstance(chosen, Frontier | AutomaticFit):
        raise InputError("a regime needs a law of n_params and n_tokens, not a frontier or a curve")
    unique = n_tokens if n_tokens_unique is None else n_tokens_unique
    epochs = effective_epochs(n_tokens, unique)
    if not 0 < n_params < float("inf"):
        raise InputError(f"n_params must be positive and finite, found {n_params:g}")
    at_hand, unique = unique, min(unique, n_tokens)
    fit = chosen if isinstance(chosen, Fit) else None
    if fit:
        require_sound(fit, fit.data.source)
    rows = np.concatenate([chosen.theta[None], fit.draws]) if fit else chosen.theta[None]
    published = None if isinstance(chosen, Fit) else chosen
    extractor = make_extractor(chosen.law, rows, published=published)
    trend = None if data_law is None else take_trend(data_law, "data_law")
    margins = measure_margins(extractor, n_params, n_tokens, unique)
    regimes = judge_margins(margins, repeats=epochs > 1 + 1e-9)
    estimate = _estimator(fit)
    loss = extractor.loss(n_params, n_tokens, unique)
    floor = _floor(extractor, trend, n_tokens)
    one_epoch, converged = extractor.loss(n_params, unique, unique), extractor.converged(unique)
    if trend is not None:
        converged = np.full(len(rows), trend.at(unique))
    E = extractor.irreducible() if trend is None else np.zeros(len(rows))
    return PlanRegime(
        law=chosen.law.name if fit else law if isinstance(law, str) else published.name,  # type: ignore[union-attr]
        n_params=n_params,
        n_tokens=n_tokens,
        n_tokens_unique=unique,
        effective_epochs=epochs,
        loss=estimate(loss),
        floor=estimate(floor),
        efficiency=estimate(extractor_efficiency(loss, floor, ignorant=ignorant)),
        one_epoch=estimate(one_epoch),
        converged=estimate(converged),
        first_epoch_ratio=estimate((one_epoch - E) / (converged - E)),
        margins={name: estimate(values) for name, values in margins.items()},
        regime=REGIMES[regimes[0]],
        shares=shares_of(regimes[1:]),
        knows_repeats=unique < n_tokens or set(chosen.law.variables) != JOINT,
        notes=_notes(chosen, extractor, trend, margins, n_params, n_tokens, unique, at_hand),
    )


def _floor(extractor: Extractor, trend: Trend | None, n_tokens: float) -> Array:
    if trend is None:
        return extractor.floor(n_tokens)
    return np.full(len(extractor.theta), trend.at(n_tokens))


def _estimator(fit: Fit | None) -> Callable[[Array], Estimate]:
    """Turn a value and its draws into an estimate."""

    def estimate(values: Array) -> Estimate:
        if fit is None or len(values) < 3:
            return Estimate(float(values[0]), level=fit.level if fit else LEVEL)
        return interval_from_draws(
            float(values[0]), values[1:], level=fit.level, stretch=fit.stretch
        )

    return estimate


def _notes(
    law: AnyLaw,
    extractor: Extractor,
    trend: Trend | None,
    margins: dict[str, Array],
    N: float,
    E: float,
    U: float,
    given: float,
) -> tuple[str, ...]:
    notes = []
    by_N, by_D = float(margins["parameters"][0]), float(margins["data"][0])
    if BALANCED * max(by_N, by_D) <= abs(by_N - by_D) < NEAR * max(by_N, by_D):
        notes.append("parameters and data are nearly in balance: close to compute-optimal")
    if given > E:
        notes.append(
            f"{shorten(given)} distinct tokens are at hand, and the plan reads {shorten(E)} of them"
        )
    if U < E and extractor.distinct:
        notes.append("Kaplan's D counts distinct tokens read until nothing is gained: repeats "
                     "are in it already")  # fmt: skip
    elif U < E and set(extractor.law.variables) == JOINT:
        notes.append(
            f"{extractor.law.name} does not know of repeats: they are worth what Muennighoff 2023 "
            f"found, R_D* = {R_D_STAR:.4g}"
        )
    if trend is not None:
        notes.append(f"L(D) is {trend.name}, not the limit of the joint law")
    if isinstance(law, Fit):
        for name, amount in (("n_params", N), ("n_tokens", E)):
            low, high = law.data.ranges[name]
            factor = max(low / amount, amount / high)
            if factor > 1:
                notes.append(f"{name} is {shorten(factor)}x outside the runs fitted")
    elif not isinstance(law, Frontier | AutomaticFit):
        warning = rounding_warning(law)
        if warning:
            notes.append(warning)
    return tuple(notes)
