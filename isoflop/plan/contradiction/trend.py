"""A trend: one law of one variable with its constants, whoever fitted or printed it.

Legend: y loss or amount, x its variable; y = E + A/x^alpha for losses, y = k·x^p for amounts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from isoflop.base.errors import InputError, RefusalError, UnknownNameError
from isoflop.base.units import PF_DAY
from isoflop.fitting.automatic.automatic import AutomaticFit
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.saved import AnyFit, read_fit
from isoflop.fitting.solve.solver import Outcome
from isoflop.laws.catalog import CATALOG, PublishedLaw, find_published, published_names
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.law import AbstractLaw, Array
from isoflop.laws.power import PowerConstantLaw, PowerLaw

Source = str | PublishedLaw | AnyFit

READS = {
    "compute_law": ("loss", "flops"),
    "data_law": ("loss", "n_tokens"),
    "tokens_rule": ("n_tokens", "flops"),
    "params_rule": ("n_params", "flops"),
}
"""{role: (what it predicts, what it reads)}."""
SAFE = 1e300
"""x at which a law stands for its limit."""


@dataclass(frozen=True, eq=False)
class Trend:
    """A law of one variable in its role.

    Args:
        role: a key of `READS`.
        name: name in the catalog, or of the file or form fitted.
        law: the form.
        theta: (p,) constants, base units.
        draws: (K, p) draws of a fit's own distribution; (0, p) if it has none.
        stretch: small-sample factor on intervals from the draws.
        pivot: x at which the trend is held while its exponent is changed.
        printed: {symbol: value} as the paper prints them; of a fit, its estimates.
        printed_units: {symbol: unit}.
        source: paper and table, or the runs.
        reach: lowest and highest x of the runs fitted, None where not known.
        loss_unit: unit of the loss.
        published: the entry of the catalog, if it is one.
    """

    role: str
    name: str
    law: AbstractLaw
    theta: Array
    draws: Array
    pivot: float
    source: str
    printed: Mapping[str, float]
    stretch: float = 1.0
    printed_units: Mapping[str, str] = field(default_factory=dict)
    reach: tuple[float, float] | None = None
    loss_unit: str = "nats/token"
    published: PublishedLaw | None = None

    @property
    def form(self) -> str:
        """The formula."""
        return self.law.form

    @property
    def has_exponent(self) -> bool:
        """Whether its last two constants are a coefficient and an exponent."""
        return isinstance(self.law, PowerLaw | PowerConstantLaw | GrowthLaw)

    def at(self, x: float) -> float:
        """Evaluate at one point."""
        variables = {self.law.variables[0]: np.array([x])}
        return float(self.law.predict(self.theta, variables)[0])

    def to_dict(self) -> dict[str, object]:
        """Return name, constants and source."""
        return {
            "name": self.name,
            "form": self.form,
            "printed": dict(self.printed),
            "printed_units": dict(self.printed_units),
            "source": self.source,
        }


@np.errstate(over="ignore")
def evaluate_each(trend: Trend, thetas: Array, x: Array) -> Array:
    """Evaluate the k-th constants at the k-th x, (K,); 0 or the limit where that is infinite."""
    at = np.clip(x, 1.0, SAFE)
    name = trend.law.variables[0]
    if trend.has_exponent:
        return _power(trend, thetas, at)
    return np.array(
        [trend.law.predict(t, {name: each[None]})[0] for t, each in zip(thetas, at, strict=True)]
    )


def _power(trend: Trend, thetas: Array, x: Array) -> Array:
    sign = 1.0 if trend.role.endswith("rule") else -1.0
    value = thetas[:, -2] * np.exp(sign * thetas[:, -1] * np.log(x))
    return value + (thetas[:, 0] if thetas.shape[1] == 3 else 0.0)


def take_trend(source: Source, role: str) -> Trend:
    """Read a trend from a catalog name, an entry, a fit, or the file of a fit.

    Args:
        source: where it comes from.
        role: a key of `READS`.

    Raises:
        UnknownNameError: neither a published law nor a file; suggests those that fit the role.
        InputError: it predicts or reads something else.
        RefusalError: a fit that did not converge, or is not identified.
    """
    name, source = open_source(source, role)
    if isinstance(source, PublishedLaw):
        return _from_published(source, role)
    if isinstance(source, AutomaticFit):
        raise InputError(
            f"{role}: {name} continues a curve and has no constants; fit a law such as power "
            f"over {READS[role][1]}"
        )
    if isinstance(source, Frontier):
        raise InputError(f"{role} must predict a loss; {name} is a frontier of N and D")
    return _from_fit(source, role, name)


def open_source(source: Source, role: str) -> tuple[str, PublishedLaw | AnyFit]:
    """Find the name of a source and what it holds; refuse a fit that says nothing."""
    if isinstance(source, str):
        name, found = source, _find(source, role)
    else:
        found = source
        name = found.name if isinstance(found, PublishedLaw) else _runs_of(found)
    if isinstance(found, Fit):
        require_sound(found, name)
    return name, found


def require_sound(fit: Fit, name: str) -> None:
    """Refuse a fit that did not converge, or whose law its runs do not determine.

    Raises:
        RefusalError: it is one of those.
    """
    if fit.outcome in (Outcome.NOT_CONVERGED, Outcome.UNIDENTIFIED):
        raise RefusalError(f"nothing can be decided from {name}: {fit.outcome.value}")


def suitable_names(role: str) -> tuple[str, ...]:
    """Names of the catalog that fit a role.

    >>> suitable_names("data_law")
    ('kaplan-2020-l-d', 'kaplan-2020-l-d-table-2')
    """
    predicts, reads = READS[role]
    return tuple(
        entry.name
        for entry in CATALOG.values()
        if entry.predicts == predicts and entry.law.variables == (reads,)
    )


def _runs_of(fit: AnyFit) -> str:
    return fit.data.source if fit.data else "a curve"


def _find(name: str, role: str) -> PublishedLaw | AnyFit:
    if name.strip().lower().replace("_", "-") in published_names():
        return find_published(name)
    if Path(name).suffix == ".json" or Path(name).exists():
        return read_fit(name)
    raise UnknownNameError("law", name, suitable_names(role))


def _require(role: str, name: str, predicts: str, variables: tuple[str, ...]) -> None:
    wanted, reads = READS[role]
    if predicts != wanted or variables != (reads,):
        raise InputError(
            f"{role} must predict {wanted} from {reads}; {name} predicts "
            f"{predicts} from {', '.join(variables)}"
        )


def _from_published(entry: PublishedLaw, role: str) -> Trend:
    _require(role, entry.name, entry.predicts, entry.law.variables)
    theta = np.asarray(entry.theta, dtype=np.float64)
    return Trend(
        role=role,
        name=entry.name,
        law=entry.law,
        theta=theta,
        draws=np.empty((0, len(theta))),
        pivot=_published_pivot(entry),
        source=entry.source,
        printed=entry.printed,
        printed_units=entry.printed_units,
        published=entry,
    )


def _published_pivot(entry: PublishedLaw) -> float:
    """X_c of A = X_c^alpha; one PF-day for amounts, as they are printed."""
    if isinstance(entry.law, PowerLaw | PowerConstantLaw):
        A, alpha = entry.theta[-2:]
        return float(np.exp(np.log(A) / alpha))
    return PF_DAY


def _from_fit(fit: Fit, role: str, name: str) -> Trend:
    predicts = READS[role][0] if isinstance(fit.law, GrowthLaw) else fit.law.response
    _require(role, name, predicts, fit.law.variables)
    reach = fit.data.ranges[fit.law.variables[0]]
    return Trend(
        role=role,
        name=name,
        law=fit.law,
        theta=fit.theta,
        draws=fit.draws,
        stretch=fit.stretch,
        pivot=float(np.sqrt(reach[0] * reach[1])),
        source=f"{fit.n_runs} runs of {fit.data.source}",
        printed={key: estimate.value for key, estimate in fit.params.items()},
        reach=reach,
        loss_unit=fit.data.loss_unit.removesuffix(" (assumed)"),
    )
