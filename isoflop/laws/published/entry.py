"""One published law: its form, its constants as computed with and as printed, its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from isoflop.base.estimate import Estimate
from isoflop.base.units import PF_DAY
from isoflop.laws.law import AbstractLaw, Array

Quantity = Literal[
    "loss",
    "n_params",
    "n_tokens",
    "batch_tokens",
    "steps",
    "error",
    "n_transferred",
    "infogain",
    "loss_unigram",
    "n_params_non_embedding",
    "n_params_vocabulary",
    "lr",
    "flops_per_token",
]

UNITS: Mapping[str, str] = {
    "loss": "nats/token",
    "n_params": "parameters",
    "n_tokens": "tokens",
    "n_tokens_unique": "tokens",
    "flops": "FLOPs",
    "steps": "steps",
    "batch_tokens": "tokens/step",
    "error": "share of a task",
    "infogain": "share of the loss",
    "n_finetune": "characters",
    "n_transferred": "characters",
    "loss_unigram": "nats/token above a unigram model",
    "n_params_non_embedding": "parameters",
    "n_params_vocabulary": "parameters",
    "n_experts": "experts a layer",
    "granularity": "parts of a dense layer",
    "lr": "1",
    "flops_per_token": "FLOPs/token",
}
"""Units that `PublishedLaw.law` reads and predicts, whatever units the paper prints."""


@dataclass(frozen=True, eq=False)
class PublishedLaw:
    """A law with the constants a paper gives.

    Args:
        name: kebab-case, first author, year, what is predicted from what.
        law: the form; it reads and predicts the units of `UNITS`.
        theta: (n_parameters,) float, constants in the order of `law.parameters`, converted
            exactly from the printed ones (A = X_c^alpha, PF-days into FLOPs).
        predicts: the quantity predicted.
        convention: which parameters are counted as N, which FLOPs as C.
        source: paper and table or equation.
        printed: {symbol: value}, the constants as the paper prints them.
        printed_units: {symbol: unit} of those that have one.
        stderr: {symbol: standard error}, where printed.
        intervals: {symbol: estimate}, where printed.
        rounding: what the rounding of the printed constants does; "" if they are not rounded.
        note: conditions, and where sources disagree.

    >>> from isoflop.laws.catalog import find_published
    >>> law = find_published("kaplan-2020-l-n")
    >>> law.form, law.printed["N_c"], law.rounded
    ('A/n_params**alpha', 88000000000000.0, True)
    """

    name: str
    law: AbstractLaw
    theta: Array
    predicts: Quantity
    convention: str
    source: str
    printed: Mapping[str, float]
    printed_units: Mapping[str, str] = field(default_factory=dict)
    stderr: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, Estimate] = field(default_factory=dict)
    rounding: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        theta = np.array(self.theta, dtype=np.float64)
        if theta.shape != (len(self.law.parameters),) or not np.isfinite(theta).all():
            raise ValueError(f"{self.name}: {self.law.name} wants {self.law.parameter_names}")
        theta.flags.writeable = False
        object.__setattr__(self, "theta", theta)

    @property
    def form(self) -> str:
        """The formula, in `law`'s parameters."""
        return self.law.form

    @property
    def rounded(self) -> bool:
        """Whether the constants were printed to few digits."""
        return bool(self.rounding)

    @property
    def params(self) -> dict[str, float]:
        """{parameter: value} in the law's own parametrisation and base units."""
        return dict(zip(self.law.parameter_names, self.theta.tolist(), strict=True))

    @property
    def units(self) -> dict[str, str]:
        """{quantity: unit} of the variables read and of what is predicted."""
        return {name: UNITS[name] for name in (*self.law.variables, self.predicts)}

    def to_dict(self) -> dict[str, object]:
        """Return the contract's JSON object, in full precision."""
        return {
            "name": self.name,
            "form": self.form,
            "family": self.law.name,
            "predicts": self.predicts,
            "params": self.params,
            "units": self.units,
            "source": self.source,
            "convention": self.convention,
            "printed": dict(self.printed),
            "printed_units": dict(self.printed_units),
            "stderr": dict(self.stderr),
            "intervals": {name: value.to_dict() for name, value in self.intervals.items()},
            "rounded": self.rounded,
            "rounding": self.rounding,
            "note": self.note,
        }


def theta_of(*constants: float) -> Array:
    """Collect constants that the law takes as printed.

    >>> theta_of(1.69, 406.4).shape
    (2,)
    """
    return np.array(constants, dtype=np.float64)


def decay_theta(scale: float, exponent: float) -> Array:
    """Turn (scale/x)^exponent into the [A, alpha] of A/x^alpha, A = scale^exponent.

    Args:
        scale: X_c, in the unit of x.
        exponent: alpha.

    Returns:
        (2,) float.

    >>> decay_theta(100.0, 0.5)
    array([10. ,  0.5])
    """
    return np.array([np.exp(exponent * np.log(scale)), exponent])


def growth_theta(prefactor: float, exponent: float) -> Array:
    """Turn y = prefactor·(C in PF-days)^exponent into the [k, p] of y = k·flops^p.

    Args:
        prefactor: y at one PF-day.
        exponent: p.

    Returns:
        (2,) float.

    >>> k, p = growth_theta(1.3e9, 0.73)
    >>> round(float(k * 8.64e19**p))
    1300000000
    """
    return np.array([np.exp(np.log(prefactor) - exponent * np.log(PF_DAY)), exponent])
