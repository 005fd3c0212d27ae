"""Agreement: the three methods on one table."""

from isoflop.base.errors import IsoflopError
from isoflop.fitting.parametric import FitSpec
from isoflop.plan.analysis.disagreement import MethodAnswer, MethodComparison, compare_methods
from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.refit import shift_of_size

N_RESAMPLES = 400
LEVEL = 0.95
"""Of the intervals that must part before methods are said to disagree."""
WASTED = 0.01
"""Share of the target's compute below which a disagreement costs too little to be told."""


def check_methods(case: Case) -> list[Diagnosis]:
    """Find methods that disagree on N* at the target by more than their intervals allow.

    Of N and D in other units than C nothing is to be expected: they have a finding of their own.
    """
    if case.fit is None or not case.has("n_params", "n_tokens", "flops", "loss"):
        return []
    if any(len(slip.columns) > 1 for slip in case.slips):
        return []
    spec = FitSpec(n_resamples=N_RESAMPLES, level=LEVEL)
    try:
        comparison = compare_methods(case.steady_table, spec=spec, flops=case.flops)
    except IsoflopError:
        return []
    apart = [a for a in comparison.answers[1:] if not a.agrees and a.waste > WASTED]
    return [_diagnose(case, comparison, apart)] if apart else []


def _diagnose(case: Case, comparison: MethodComparison, apart: list[MethodAnswer]) -> Diagnosis:
    assert case.fit is not None
    parametric = comparison.answers[0]
    worst = max(apart, key=lambda answer: answer.waste)
    change = shift_of_size(
        case,
        (worst.exponent.value, worst.n_params.value),
        (parametric.exponent.value, parametric.n_params.value),
        case.fit.theta,
    )
    told = "; ".join(f"{answer.method} at {answer.n_params}" for answer in apart)
    return Diagnosis(
        code="methods-disagree",
        severity="warning",
        evidence=f"parametric puts N* at {parametric.n_params}, {told} "
        f"({100 * LEVEL:.0f} % intervals, at the target)",
        consequence=f"a method is biased, or the law is wrong. With {worst.method} believed and "
        f"parametric right: {change}",
        remedy="look for grid and residual findings here; isoflop compare --methods shows each",
        numbers={
            f"n_params_{answer.method}": answer.n_params.value for answer in (parametric, *apart)
        },
        shift=change,
    )
