"""What is known of a law before a run is bought: plausible constants, and what they rest on."""

from dataclasses import dataclass, replace

import numpy as np

from isoflop.base.errors import InputError, RefusalError
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.misfit import Misfit, expected_error
from isoflop.fitting.objective import Objective
from isoflop.fitting.solve.robust import robust_scale
from isoflop.laws.catalog import PublishedLaw
from isoflop.laws.law import AbstractLaw, Array
from isoflop.plan.optimum.choose import AnyLaw, choose_law
from isoflop.runs.cost import TokenCost

USUAL_NOISE = 0.005
"""Standard deviation of one run's log loss where no fit tells; .003 to .008 on real tables."""
MANY = 64
"""Plausible sets of constants that a ranking is averaged over."""


@dataclass(frozen=True)
class Knowledge:
    """A law as it is known now.

    Args:
        name: of the fit or of the published constants.
        law: the form.
        thetas: (K, p) plausible constants; the first is the best guess.
        information: (p, p) inverse covariance in solver coordinates; zero when no run of one's
            own has been trained.
        noise: standard deviation of one run's log loss.
        misfit: what the fit's runs say about the law itself; None where it is not suspected.
        cost: FLOPs per token as a function of size.
        largest: FLOPs of the largest run so far, None if none.
        level: confidence level of what is told.
        source: what the noise and the constants rest on, in words.
    """

    name: str
    law: AbstractLaw
    thetas: Array
    information: Array
    noise: float
    misfit: Misfit | None
    cost: TokenCost
    largest: float | None
    level: float
    source: str

    def law_error(self, n_params: float, n_tokens: float) -> float:
        """Standard error of log loss from the law itself at a run; 0 where it is not suspected."""
        if self.misfit is None:
            return 0.0
        at = {"n_params": np.array([n_params]), "n_tokens": np.array([n_tokens])}
        error = expected_error(self.misfit, self.law, self.thetas[0], at, objective=Objective())
        return float(error[0])


def know(law: "AnyLaw | str | Knowledge", *, noise: float | None = None) -> Knowledge:
    """Gather what a fit or a published law says before the next run.

    Args:
        law: a fit, a published law, or the name or file of one; what is known is handed back.
        noise: standard deviation of one run's log loss; measured by the fit if left out, .005
            under published constants.

    Raises:
        InputError: a law that is not of parameters and tokens, or noise that is not positive.
        RefusalError: a fit that did not determine its law.

    >>> know("besiroglu-2024").noise
    0.005
    """
    if isinstance(law, Knowledge):
        return law if noise is None else replace(law, noise=noise)
    chosen = choose_law(law) if isinstance(law, str) else law
    if noise is not None and not (np.isfinite(noise) and noise > 0):
        raise InputError(f"noise must be a positive standard deviation of log loss, found {noise}")
    if isinstance(chosen, Fit):
        return _know_fit(chosen, noise)
    if isinstance(chosen, PublishedLaw):
        return _know_published(chosen, noise)
    raise InputError("a design needs a law of parameters and tokens, such as besiroglu-2024")


def _know_fit(fit: Fit, noise: float | None) -> Knowledge:
    _check_joint(fit.law)
    known = fit.determined and fit.covariance.size and np.isfinite(fit.covariance).all()
    if not known:
        raise RefusalError(
            f"these runs do not determine {fit.law.name}, so no further run can be valued by it; "
            "propose a ladder from a published law instead, such as besiroglu-2024"
        )
    measured = _measured_noise(fit)
    suspected = fit.misfit is not None and fit.misfit.suspected
    return Knowledge(
        name=fit.law.name,
        law=fit.law,
        thetas=np.vstack([fit.theta, fit.draws[:MANY]]),
        information=np.asarray(np.linalg.pinv(fit.covariance, hermitian=True), dtype=np.float64),
        noise=noise or measured,
        misfit=fit.misfit if suspected else None,
        cost=TokenCost(fit.data.cost_per_root),
        largest=fit.data.ranges["flops"][1] if "flops" in fit.data.ranges else None,
        level=fit.level,
        source=f"{fit.n_runs} runs of {fit.data.source}"
        + ("; noise as given" if noise else f"; noise {100 * measured:.2g} % as they scatter"),
    )


def _measured_noise(fit: Fit) -> float:
    """Noise of one run: of all of them by least squares, else of the bulk that has a say."""
    if fit.objective.kind != "squared":
        return robust_scale(fit.residuals, len(fit.theta))
    freedom = max(1, fit.n_runs - len(fit.theta))
    return float(np.sqrt(fit.residuals @ fit.residuals / freedom))


def _know_published(published: PublishedLaw, noise: float | None) -> Knowledge:
    _check_joint(published.law)
    theta = np.asarray(published.theta, dtype=np.float64)
    return Knowledge(
        name=published.name,
        law=published.law,
        thetas=theta[None],
        information=np.zeros((len(theta), len(theta))),
        noise=noise or USUAL_NOISE,
        misfit=None,
        cost=TokenCost(),
        largest=None,
        level=0.9,
        source="published constants, taken as a guess; noise "
        + (f"{100 * noise:.2g} % as given" if noise else f"{100 * USUAL_NOISE:g} % assumed"),
    )


def _check_joint(law: AbstractLaw) -> None:
    if set(law.variables) != {"n_params", "n_tokens"}:
        raise InputError(
            f"{law.name} is a law of {', '.join(law.variables)}; a design needs one of n_params "
            "and n_tokens, such as besiroglu-2024, or a fit of chinchilla (isoflop fit -o)"
        )
