"""A fit is a value: the law, its estimates, what it was fitted to and how it ended."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np

from isoflop import __version__
from isoflop.base.estimate import LEVEL, Estimate, interval_from_draws
from isoflop.fitting.foresight.misfit import Misfit
from isoflop.fitting.given import given_quantities, held_constants
from isoflop.fitting.objective import Objective
from isoflop.fitting.record import DataRecord, ScaleResiduals
from isoflop.fitting.solve.solver import Array, Outcome
from isoflop.fitting.starts import Basins
from isoflop.fitting.uncertainty.bootstrap import small_sample_stretch, student_over_normal
from isoflop.fitting.uncertainty.intervals import Interval
from isoflop.laws.law import AbstractLaw
from isoflop.runs.checks import Finding

POSITIVE_DERIVED = frozenset({"G", "x_c", "x_0"})
"""Derived amounts whose intervals are taken in log space."""


def current_versions() -> dict[str, str]:
    """Versions a fit was made with."""
    return {"isoflop": __version__, "numpy": np.__version__}


@dataclass(frozen=True)
class Fit:
    """A law fitted to runs.

    Args:
        law: the law.
        theta: (p,) best parameters, in the law's order and units.
        draws: (K, p) draws from the fit's distribution, whose percentiles are the intervals;
            (0, p) if none were asked for.
        objective: loss function of the log-loss residuals.
        objective_value: its sum over the runs.
        residuals: (n_runs,) log predicted − log measured.
        n_units: runs, or groups of runs where those carry the noise.
        outcome: how the solver ended.
        basins: what the starts found.
        condition: condition number of the scaled Jacobian at the optimum.
        findings: what a reader should know.
        data: what was fitted.
        convention: which N and which C, in words.
        level: confidence level of the intervals.
        seed: seed of starts and draws.
        covariance: (p, p) in solver coordinates: of the logarithm of every positive parameter;
            infinite on the diagonal where the runs leave a parameter free.
        interval: what the intervals rest on, and why.
        noise_power: k of noise ∝ response^k, by which runs were weighed; 0 for none.
        noise_unit: standard deviation of the noise at response 1 where they were.
        scales: residuals by scale.
        misfit: what the runs say about the law itself, if asked (`isoflop.foresee`).
        versions: {package: version} the fit was made with.
        profiles: {constant, a or b: estimate} by profile likelihood, if asked; an end is None
            where the runs rule nothing out.
        procedure: {optimiser, bounds, tolerance, selection or code: how it was}, in words.
    """

    law: AbstractLaw
    theta: Array
    draws: Array
    objective: Objective
    objective_value: float
    residuals: Array
    n_units: int
    outcome: Outcome
    basins: Basins
    condition: float
    findings: tuple[Finding, ...]
    data: DataRecord
    convention: str = "as recorded"
    level: float = LEVEL
    seed: int = 0
    covariance: Array = field(default_factory=lambda: np.zeros((0, 0)))
    interval: Interval = field(default_factory=Interval)
    noise_power: float = 0.0
    noise_unit: float = 0.0
    scales: tuple[ScaleResiduals, ...] = ()
    misfit: Misfit | None = None
    versions: Mapping[str, str] = field(default_factory=current_versions)
    profiles: Mapping[str, Estimate] = field(default_factory=dict)
    procedure: Mapping[str, str] = field(default_factory=dict)

    method = "parametric"

    @property
    def n_runs(self) -> int:
        """Runs fitted."""
        return len(self.residuals)

    @property
    def rms(self) -> float:
        """Root mean square of the log-loss residuals."""
        return float(np.sqrt(np.mean(self.residuals**2)))

    @property
    def stretch(self) -> float:
        """Small-sample factor on the percentiles of a bootstrap; draws of other kinds need none."""
        if self.interval.estimator in ("case", "cluster-bootstrap"):
            return small_sample_stretch(self.n_units, len(self.theta), self.level)
        if self.interval.estimator == "wild":
            return student_over_normal(self.n_runs - len(self.theta), self.level)
        return 1.0

    @property
    def correlations(self) -> Array:
        """Correlations of the parameters, (p, p), NaN where one is not determined."""
        with np.errstate(invalid="ignore", divide="ignore"):
            size = np.sqrt(np.diag(self.covariance))
            size = np.where(np.isfinite(size), size, np.nan)
            return self.covariance / size / size[:, None]

    @property
    def params(self) -> dict[str, Estimate]:
        """Each parameter with its interval."""
        logs = [parameter.scale == "log" for parameter in self.law.parameters]
        return {
            name: self.profiles.get(name)
            or self._interval(self.theta[k], self.draws[:, k], log=logs[k])
            for k, name in enumerate(self.law.parameter_names)
        }

    @property
    def derived(self) -> dict[str, Estimate]:
        """What follows from the parameters, such as the optimum's exponents, with intervals.

        Without one where no run has a say: constants held, exponents that the form sets.
        """
        with np.errstate(over="ignore"):  # a scale x_c = A**(1/alpha) may lie beyond floats
            values = self.law.derive(self.theta)
            draws = {**self.law.derive(self.draws), **dict.fromkeys(self.given, np.empty(0))}
        return {
            name: self.profiles.get(name)
            or self._interval(float(values[name]), draws[name], log=name in POSITIVE_DERIVED)
            for name in values
        }

    @property
    def held(self) -> dict[str, float]:
        """Constants that were held, not estimated."""
        return held_constants(self.law)

    @property
    def given(self) -> dict[str, str]:
        """What sets those derived quantities that the runs do not: see `given_quantities`."""
        return given_quantities(self.law, self.theta)

    @property
    def determined(self) -> bool:
        """Whether the parameters may be read: converged, and no direction left free."""
        return self.outcome in (Outcome.CONVERGED, Outcome.AT_BOUND)

    def _interval(self, value: float, draws: Array, *, log: bool) -> Estimate:
        if not self.determined:
            return Estimate(float(value), level=self.level)
        return interval_from_draws(
            float(value), draws, level=self.level, stretch=self.stretch, log=log
        )

    def to_dict(self) -> dict[str, object]:
        """Return the contract's JSON object, in full precision."""
        return {
            "law": self.law.name,
            "form": self.law.form,
            "method": self.method,
            "n_runs": self.n_runs,
            "objective": self.objective_value,
            "loss": asdict(self.objective),
            "params": {name: e.to_dict() for name, e in self.params.items()},
            "derived": {name: e.to_dict() for name, e in self.derived.items()},
            "held": self.held,
            "given": self.given,
            "residual_rms": self.rms,
            "condition": self.condition if np.isfinite(self.condition) else None,
            "basins": self.basins.to_dict(),
            "outcome": self.outcome.name.lower(),
            "outcome_sentence": self.outcome.value,
            "findings": [finding.to_dict() for finding in self.findings],
            "convention": self.convention,
            "interval": self.interval.to_dict(),
            "bootstrap": len(self.draws),
            "misfit": None if self.misfit is None else self.misfit.to_dict(),
            "level": self.level,
            "seed": self.seed,
            "noise_power": self.noise_power,
            "noise_unit": self.noise_unit,
            "scales": [vars(scale) for scale in self.scales],
            "profiles": {name: e.to_dict() for name, e in self.profiles.items()},
            "versions": dict(self.versions),
            "procedure": dict(self.procedure),
            "data": self.data.to_dict(),
        }

    def __str__(self) -> str:
        from isoflop.fitting.card import fit_card

        return fit_card(self)

    def _repr_html_(self) -> str:
        """Show the card in a notebook."""
        from isoflop.fitting.card import fit_card_html

        return fit_card_html(self)
