"""A trend: one law of one variable with its constants, whoever fitted or printed it.

Legend: y loss or amount, x its variable; y = E + A/x^alpha for losses, y = k·x^p for amounts;
G Hoffmann's constant: N* = G·(C/6)^a, D* = (C/6)^b/G.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.base.units import PF_DAY
from isoflop.fitting.automatic.automatic import AutomaticFit
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.saved import AnyFit, read_fit
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


def take_trend(source: Source, role: str) -> Trend:
    """Read a trend from a catalog name, an entry, a fit, or the file of a fit.

    Args:
        source: where it comes from. As rules of tokens and parameters, a frontier and a joint
            fit with an optimum of closed form will do.
        role: a key of `READS`.

    Raises:
        UnknownNameError: neither a published law nor a file; suggests those that fit the role.
        InputError: it predicts or reads something else.
    """
    if isinstance(source, str):
        name, source = source, _find(source, role)
    elif isinstance(source, PublishedLaw):
        name = source.name
    else:
        name = source.data.source if source.data else source.method
    if isinstance(source, PublishedLaw):
        return _from_published(source, role)
    if isinstance(source, AutomaticFit):
        raise InputError(
            f"{role}: {name} continues a curve and has no constants; fit a law such as power "
            f"over {READS[role][1]}"
        )
    if isinstance(source, Frontier):
        return _from_frontier(source, role, name)
    if role in ("tokens_rule", "params_rule") and not isinstance(source.law, GrowthLaw):
        return _from_optimum(source, role, name)
    return _from_fit(source, role, name)


def tokens_per_param_rule(ratio: float, role: str) -> Trend:
    """D = r·N under C = 6ND: D = sqrt(r·C/6), N = sqrt(C/6r).

    >>> rule = tokens_per_param_rule(20.0, "tokens_rule")
    >>> f"{rule.at(6 * 7e10 * 1.4e12):.3g}"
    '1.4e+12'
    """
    if not (np.isfinite(ratio) and ratio > 0):
        raise InputError(f"tokens per parameter must be positive, found {ratio:g}")
    k = np.sqrt(ratio / 6) if role == "tokens_rule" else np.sqrt(1 / (6 * ratio))
    return Trend(
        role=role,
        name=f"{ratio:g} tokens a parameter",
        law=GrowthLaw("flops"),
        theta=np.array([k, 0.5]),
        draws=np.empty((0, 2)),
        pivot=1.0,
        source="given",
        printed={"k": float(k), "p": 0.5},
    )


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


def _from_frontier(frontier: Frontier, role: str, name: str) -> Trend:
    if role not in ("tokens_rule", "params_rule"):
        raise InputError(f"{role} must predict a loss; {name} is a frontier of N and D")
    first = 2 if role == "tokens_rule" else 0
    rows = np.concatenate([frontier.theta[None], frontier.draws])[:, first : first + 2]
    theta = np.column_stack([np.exp(rows[:, 1]), rows[:, 0]])
    reach = float(frontier.points.flops.min()), float(frontier.points.flops.max())
    return _rule(frontier, role, name, theta, reach, frontier.n_runs)


def _from_optimum(fit: Fit, role: str, name: str) -> Trend:
    """The closed optimum of a joint law, as a rule."""
    rows = np.concatenate([fit.theta[None], fit.draws])
    derived = fit.law.derive(rows)
    if not {"a", "b", "G"} <= set(derived):
        raise InputError(
            f"{role} must say {READS[role][0]} of flops; {name}, a fit of {fit.law.name}, has no "
            "optimum of closed form: give a frontier or a chinchilla fit"
        )
    p = derived["b"] if role == "tokens_rule" else derived["a"]
    sign = -1.0 if role == "tokens_rule" else 1.0
    theta = np.column_stack([derived["G"] ** sign * 6.0**-p, p])
    tokens, params = (fit.data.ranges[variable] for variable in ("n_tokens", "n_params"))
    reach = 6 * tokens[0] * params[0], 6 * tokens[1] * params[1]
    return _rule(fit, role, name, theta, fit.data.ranges.get("flops", reach), fit.n_runs)


def _rule(
    fit: Fit | Frontier,
    role: str,
    name: str,
    theta: Array,
    reach: tuple[float, float],
    n_runs: int,
) -> Trend:
    k, p = theta[0]
    return Trend(
        role=role,
        name=name,
        law=GrowthLaw("flops"),
        theta=theta[0],
        draws=theta[1:],
        stretch=fit.stretch,
        pivot=float(np.sqrt(reach[0] * reach[1])),
        source=f"the optimum of {n_runs} runs of {fit.data.source}",
        printed={"k": float(k), "p": float(p)},
        reach=reach,
        loss_unit=fit.data.loss_unit.removesuffix(" (assumed)"),
    )
