"""The constants of any law, fitted or published, and what follows from them with an interval.

A fit brings draws from its own distribution, so that whatever is computed from its constants is
computed once for each draw. Published constants carry no covariance: no interval, and said so.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError, RefusalError
from isoflop.base.estimate import LEVEL, Estimate, interval_from_draws
from isoflop.fitting.fit import Fit
from isoflop.fitting.solve.solver import Outcome
from isoflop.laws.catalog import PublishedLaw, rounding_warning
from isoflop.laws.fixed import FixedLaw
from isoflop.laws.law import AbstractLaw, Array
from isoflop.plan.optimum.beyond import outside_notes
from isoflop.plan.optimum.choose import AnyLaw, choose_law
from isoflop.plan.optimum.published_ranges import RANGES

NO_COVARIANCE = "published constants carry no covariance"
NO_DRAWS = "fitted without draws: fit with --bootstrap for intervals"


@dataclass(frozen=True)
class Constants:
    """A law's constants, complete, with the draws of a fit.

    Args:
        name: of the published law, or of the form fitted.
        law: the law; constants that a fit held are among its own again.
        theta: (p,) float.
        draws: (K, p) float, K = 0 for published constants.
        stretch: small-sample factor on the draws' percentiles.
        level: confidence level.
        ranges: {column: (lowest, highest)} of the runs fitted; empty where not recorded.
        notes: what a reader of anything computed from it must know.
        about: what the catalog says of a published law.
        predicts: the quantity predicted.
        source: paper, or the file of the runs fitted.
        loss_unit: unit of the losses it reads or predicts.
        published: whether a paper gave it, without a covariance.
    """

    name: str
    law: AbstractLaw
    theta: Array
    draws: Array
    stretch: float = 1.0
    level: float = LEVEL
    ranges: Mapping[str, tuple[float, float]] | None = None
    notes: tuple[str, ...] = ()
    about: str = ""
    predicts: str = "loss"
    source: str = ""
    loss_unit: str = "nats/token"
    published: bool = False

    def rows(self, n_draws: int | None = None, *, order: int = 0) -> Array:
        """Theta, then `n_draws` of the draws (all by default), (1 + n_draws, p).

        Args:
            n_draws: how many draws.
            order: 0 for the fit's own order, else one of its shuffles: fits of one seed draw the
                same normals, and laws of different runs must not move together.
        """
        count = len(self.draws) if n_draws is None else n_draws
        draws = self.draws if len(self.draws) else np.tile(self.theta, (count, 1))
        if order and len(self.draws):
            draws = draws[np.random.default_rng(order).permutation(len(draws))]
        return np.concatenate([self.theta[None], draws[:count]])


def take_constants(law: AnyLaw | str, *forms: type[AbstractLaw], reads: str = "") -> Constants:
    """Take the constants of a fit or of a published law.

    Args:
        law: a fit, a published law, or the name or file of one.
        forms: classes of which the law must be one; any if none is given.
        reads: variables, with commas, that it must be a function of; any if empty.

    Raises:
        UnknownNameError: a name nobody knows.
        InputError: a law of another form, or of other variables.
        RefusalError: a fit that did not converge, or is not identified.

    >>> take_constants("kaplan-2020-ns").theta.tolist()
    [0.077, 0.76, 65000000000000.0, 2100.0]
    """
    chosen = choose_law(law) if isinstance(law, str) else law
    if isinstance(chosen, PublishedLaw):
        found = _of_published(chosen)
    elif isinstance(chosen, Fit):
        found = _of_fit(chosen)
    else:
        raise InputError("a law with constants is needed; found a frontier or an automatic fit")
    wanted = ", ".join(form.name for form in forms)
    if forms and not isinstance(found.law, forms):
        raise InputError(f"{found.name} is of the form {found.law.name}; needed: {wanted}")
    if reads and set(found.law.variables) != set(reads.split(",")):
        raise InputError(
            f"{found.name} is a law of {', '.join(found.law.variables)}; needed: one of "
            f"{reads.replace(',', ', ')}"
        )
    return found


def _of_published(law: PublishedLaw) -> Constants:
    theta = np.asarray(law.theta, dtype=np.float64)
    empty = np.empty((0, len(theta)))
    warning = rounding_warning(law)
    return Constants(
        law.name,
        law.law,
        theta,
        empty,
        ranges=RANGES.get(law.name),
        notes=(warning,) if warning else (),
        about=law.note,
        predicts=law.predicts,
        source=law.source,
        published=True,
    )


def _of_fit(fit: Fit) -> Constants:
    if fit.outcome in (Outcome.NOT_CONVERGED, Outcome.UNIDENTIFIED):
        raise RefusalError(f"nothing can be decided from this fit: {fit.outcome.value}")
    law, theta, draws = fit.law, fit.theta, fit.draws
    if isinstance(law, FixedLaw):
        theta, draws, law = law.complete(theta), law.complete(draws), law.law
    notes = (fit.outcome.value,) if fit.outcome is Outcome.AT_BOUND else ()
    notes += () if len(draws) else (f"{law.name} {NO_DRAWS}",)
    return Constants(
        law.name,
        law,
        theta,
        draws,
        stretch=fit.stretch,
        level=fit.level,
        ranges=dict(fit.data.ranges),
        notes=notes,
        predicts=law.response,
        source=fit.data.source,
        loss_unit=fit.data.loss_unit.removesuffix(" (assumed)"),
    )


def estimate_from(
    compute: Callable[..., Array], *constants: Constants, log: bool = True
) -> Estimate:
    """Compute a quantity from one or several laws' constants, with its interval.

    Draws of several laws are taken as independent; a published law among them is held.

    Args:
        compute: (1 + K, p) rows of constants, one array for each law, to (1 + K,) values.
        constants: the laws' constants.
        log: take the interval in log space, for positive amounts.
    """
    linear = () if log else ("value",)
    return estimates_from(lambda *rows: {"value": compute(*rows)}, *constants, linear=linear)[
        "value"
    ]


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def estimates_from(
    compute: Callable[..., Mapping[str, Array]],
    *constants: Constants,
    linear: Collection[str] = (),
) -> dict[str, Estimate]:
    """Compute several quantities at once, as `estimate_from` computes one.

    Args:
        compute: rows of constants to {quantity: (1 + K,) values}.
        constants: the laws' constants.
        linear: quantities that may be zero or negative; the others' intervals are in log space.
    """
    fitted = [each for each in constants if len(each.draws)]
    count = min((len(each.draws) for each in fitted), default=0)
    found = compute(*(each.rows(count, order=k) for k, each in enumerate(constants)))
    if not fitted:
        return {name: Estimate(float(values[0])) for name, values in found.items()}
    stretch = max(each.stretch for each in fitted)
    return {
        name: interval_from_draws(
            float(values[0]),
            np.asarray(values[1:], dtype=np.float64),
            level=fitted[0].level,
            stretch=stretch,
            log=name not in linear,
        )
        for name, values in found.items()
    }


def all_notes(*constants: Constants) -> tuple[str, ...]:
    """Notes of several laws, each once; first that published ones bring no interval."""
    published = [each.name for each in constants if each.published]
    effect = "they are held" if len(published) < len(constants) else "no interval can be given"
    first = (f"{', '.join(published)}: {NO_COVARIANCE}; {effect}",) if published else ()
    return tuple(dict.fromkeys((*first, *(note for each in constants for note in each.notes))))


def check_units(*constants: Constants) -> None:
    """Refuse laws whose losses are in different units.

    Raises:
        InputError: naming each law's unit.
    """
    if len({each.loss_unit for each in constants}) > 1:
        units = ", ".join(f"{each.name} in {each.loss_unit}" for each in constants)
        raise InputError(f"laws of losses in different units cannot be combined: {units}")


def reach_note(constants: Constants, amounts: Mapping[str, float]) -> tuple[str, ...]:
    """Say which amounts lie beyond the runs that a law was fitted to, and how far."""
    return outside_notes(constants.name, constants.ranges or {}, amounts)
