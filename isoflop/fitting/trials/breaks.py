"""Does the law still hold at the largest scales measured? Hide them, predict them, and test.

A break that begins inside the runs can be seen if it is large enough; the smallest one that this
design would have seen is part of every answer. A break that begins beyond the runs cannot be seen
by anything.

The test is one-sided: the mean log excess of the hidden runs' loss over the prediction (measured −
predicted, positive where the law is too optimistic), divided by its standard error from the
parameters' covariance and the runs' noise, against Student's t. A law too pessimistic is told at
the same 5 %, two-sided: one did not look for it.
"""

import numpy as np
from scipy.special import stdtrit

from isoflop.base.errors import InputError, UnderdeterminedError
from isoflop.base.estimate import Estimate
from isoflop.fitting.identify import require_runs, require_variation
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric, pose_problem
from isoflop.fitting.trials.break_verdict import FAR, BreakTest
from isoflop.fitting.trials.excess import measure_excess, shared_noise
from isoflop.fitting.trials.scales import Scales, find_scales
from isoflop.laws.law import AbstractLaw, Array
from isoflop.runs.checks import keep_usable
from isoflop.runs.table import RunTable


def find_break(table: RunTable, law: AbstractLaw, spec: FitSpec | None = None) -> BreakTest:
    """Fit without the two largest scales and test whether they lie above the law.

    Args:
        table: the runs.
        law: the form.
        spec: loss of the fit, starts, level and seed. Residuals are those of log loss, and the
            hidden runs' mean is this test's own (see `isoflop.fitting.trials.excess`).

    Raises:
        InputError: fewer than three scales.
        UnderdeterminedError: the smaller scales do not determine the law.
    """
    spec = spec or FitSpec()
    table, _ = keep_usable(table, (*law.variables, law.response))
    _require_identified(table, law, "")  # as a fit of all runs would, before any is hidden
    scales = find_scales(table, law.variables)
    if len(scales) < 3:
        raise InputError(
            f"{table.source}: runs of {len(scales)} scale{'s' * (len(scales) > 1)}; to test for a "
            "break the largest of three or more are hidden"
        )
    first_hidden = len(scales) - (2 if len(scales) > 3 else 1)
    fitted = scales.rows_before(first_hidden)
    objective = Objective(spec.objective.kind, spec.objective.delta)
    own = FitSpec(objective, 0, n_starts=spec.n_starts, seed=spec.seed)
    hidden = f"the {int((~fitted).sum())} largest of {len(table)} runs are hidden: "
    _require_identified(table.select(fitted), law, hidden)
    fit = fit_parametric(table.select(fitted), law, own)
    start = fit.theta
    small = pose_problem(table.select(fitted), law, objective)
    large = pose_problem(table.select(~fitted), law, objective)
    shared = shared_noise(table, small, start, fitted)
    excess, stderr, theta = measure_excess(small, large, start, shared=shared)
    begins = float(np.exp(np.log(scales.centres[first_hidden - 1 : first_hidden + 1]).mean()))
    freedom = int(fitted.sum()) - len(start)
    reach = stdtrit(freedom, (1 + spec.level) / 2) * stderr
    ends = np.expm1([excess, excess - reach, excess + reach])
    return BreakTest(
        law=law.name,
        column=scales.column,
        n_fitted=int(fitted.sum()),
        n_hidden=int((~fitted).sum()),
        starts_at=begins,
        largest=float(scales.values.max()),
        excess=Estimate(float(ends[0]), float(ends[1]), float(ends[2]), spec.level),
        stderr=stderr,
        freedom=freedom,
        worth=_worth(scales, ~fitted, begins, law.predict(theta, large.variables)),
        objective=objective,
        unit=fit.data.loss_unit,
    )


def _require_identified(table: RunTable, law: AbstractLaw, hidden: str) -> None:
    """Refuse runs that cannot determine the law, and say whether others were hidden first."""
    variables = {name: table.numbers(name) for name in law.variables}
    try:
        require_runs(law, variables, table.numbers(law.response), table.source)
        require_variation(law, variables)
    except (InputError, UnderdeterminedError) as error:
        raise type(error)(f"{hidden}{error}") from None


def _worth(scales: Scales, hidden: np.ndarray, begins: float, predicted: Array) -> float:
    """Loss far beyond the runs per relative excess of the hidden ones, for a quadratic break."""
    depth = np.log10(np.maximum(scales.values[hidden] / begins, 1.0)) ** 2
    far = np.log10(FAR * scales.values.max() / begins) ** 2
    return float(far / np.mean(depth / predicted))
