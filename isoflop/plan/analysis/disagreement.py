"""The three methods on one table: where they disagree, and what that costs in compute.

Legend: C FLOPs, N parameters, D tokens; a exponent of N* ∝ C^a.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import IsoflopError
from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.envelope import fit_envelope
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.frontiers.isoflop import fit_isoflop
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.law import AbstractLaw
from isoflop.plan.optimum.allocate import plan_from_fit
from isoflop.plan.optimum.deadweight import deadweight_compute
from isoflop.plan.optimum.optimum import optimum_exponent
from isoflop.runs.checks import Finding
from isoflop.runs.cost import TokenCost
from isoflop.runs.table import RunTable

FAR = 100.0
"""The methods are compared at this multiple of the largest compute, unless a target is given."""
SMALL_WASTE = 0.03
"""Share of the target's compute up to which methods that overlap are said to agree; on good grids
with .5 % noise the parabolas waste .22 % on average and .81 % at most in 95 % (trust sheet B3)."""
METHODS = {"isoflop": fit_isoflop, "envelope": fit_envelope}


@dataclass(frozen=True)
class MethodAnswer:
    """One method's answer.

    Args:
        method: parametric, isoflop or envelope.
        exponent: a over the measured budgets.
        n_params: N* at the target.
        tokens_per_param: D*/N* there.
        waste: share of the target's compute lost, under the parametric law, by training this N*.
        agrees: whether its N* differs from the parametric one by no more than both intervals
            allow, or the parametric one alone where the method is known to be biased; true for
            the parametric one itself.
        findings: of the method's own fit.
    """

    method: str
    exponent: Estimate
    n_params: Estimate
    tokens_per_param: Estimate
    waste: float
    agrees: bool
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "method": self.method,
            "a": self.exponent.to_dict(),
            "n_params": self.n_params.to_dict(),
            "tokens_per_param": self.tokens_per_param.to_dict(),
            "waste": self.waste,
            "agrees": self.agrees,
            "findings": [finding.to_dict() for finding in self.findings],
        }


@dataclass(frozen=True)
class MethodComparison:
    """Every method's answer at one target.

    Args:
        source: the table.
        law: the parametric law, which the waste is measured by.
        flops: the target.
        answers: parametric first.
        refused: (method, reason) of those that gave no answer.
    """

    source: str
    law: str
    flops: float
    answers: tuple[MethodAnswer, ...]
    refused: tuple[tuple[str, str], ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Where the methods disagree, or that they do not; and what it costs."""
        return tuple(_judge(self))

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "source": self.source,
            "law": self.law,
            "flops": self.flops,
            "methods": [answer.to_dict() for answer in self.answers],
            "refused": [{"method": name, "reason": why} for name, why in self.refused],
            "findings": [finding.to_dict() for finding in self.findings],
        }


def compare_methods(
    table: RunTable,
    law: AbstractLaw | None = None,
    spec: FitSpec | None = None,
    *,
    flops: float | None = None,
) -> MethodComparison:
    """Ask all three methods for the optimal size at a target, and price their differences.

    Args:
        table: runs with n_params, n_tokens, flops and loss.
        law: the parametric method's form, Chinchilla's by default.
        spec: how to fit.
        flops: the target; a hundred times the largest compute by default.

    Raises:
        InputError: the parametric law cannot be fitted.
        RefusalError: these runs do not determine it.
    """
    spec = spec or FitSpec()
    fit = fit_parametric(table, law or ChinchillaLaw(), spec)
    frontiers, refused = [], []
    for name, method in METHODS.items():
        try:
            frontiers.append(method(table, spec))
        except IsoflopError as error:
            refused.append((name, str(error)))
    return hold_methods(fit, frontiers, flops=flops, refused=tuple(refused))


def hold_methods(
    fit: Fit,
    frontiers: Sequence[Frontier],
    *,
    flops: float | None = None,
    refused: tuple[tuple[str, str], ...] = (),
) -> MethodComparison:
    """Hold frontiers that were fitted already against a parametric fit of the same runs.

    Args:
        fit: a law of n_params and n_tokens.
        frontiers: by the other methods.
        flops: the target; a hundred times the largest compute by default.
        refused: (method, reason) of those that gave no answer.

    Raises:
        RefusalError: the runs do not determine the law.
    """
    low, high = fit.data.ranges["flops"]
    target = flops or FAR * high
    plan = plan_from_fit(fit, target)
    parametric = MethodAnswer(
        method=fit.method,
        exponent=optimum_exponent(fit, (low, high)),
        n_params=plan.n_params,
        tokens_per_param=plan.tokens_per_param,
        waste=0.0,
        agrees=True,
        findings=fit.findings,
    )
    others = [_answer(frontier, fit, target, plan.n_params) for frontier in frontiers]
    return MethodComparison(fit.data.source, fit.law.name, target, (parametric, *others), refused)


def _answer(frontier: Frontier, fit: Fit, flops: float, reference: Estimate) -> MethodAnswer:
    n_params, _, ratio = frontier.optimum(flops)
    cost = TokenCost(fit.data.cost_per_root)
    gap = abs(np.log(n_params.value / reference.value))
    # Lack of fit widens a biased method's own interval, which must not excuse the bias.
    biased = any(finding.code == "parabola-bias" for finding in frontier.findings)
    room = np.hypot(0.0 if biased else _log_half(n_params), _log_half(reference))
    return MethodAnswer(
        method=frontier.method,
        exponent=frontier.params["a"],
        n_params=n_params,
        tokens_per_param=ratio,
        waste=deadweight_compute(fit.law, fit.theta, n_params.value, flops, cost=cost),
        agrees=bool(gap <= room),
        findings=frontier.findings,
    )


def _log_half(estimate: Estimate) -> float:
    """Half the width of an interval in log space, 0 where there is none."""
    if not estimate.low or not estimate.high:
        return 0.0
    return float(np.log(estimate.high / estimate.low) / 2)


def _judge(comparison: MethodComparison) -> list[Finding]:
    parametric, *others = comparison.answers
    if not others:
        return []
    apart = [answer for answer in others if not answer.agrees]
    told = apart or [max(others, key=lambda answer: answer.waste)]
    at = f"at {shorten(comparison.flops)} FLOPs"
    evidence = f"{at} parametric puts N* at {parametric.n_params}; " + "; ".join(
        f"{a.method} at {a.n_params}, which by the {comparison.law} law wastes "
        f"{100 * a.waste:.2g} % of the compute"
        for a in told
    )
    if not apart and told[0].waste > SMALL_WASTE:
        return [
            Finding(
                code="methods-not-distinguishable",
                severity="warning",
                evidence=f"not distinguishable: {evidence}",
                consequence="the methods differ by no more than their intervals, which are so wide "
                f"that {100 * told[0].waste:.2g} % of the compute hangs on the choice",
                remedy="add runs at the largest budgets, on both sides of their best sizes, until "
                "the intervals are narrower than the difference",
            )
        ]
    if not apart:
        return [
            Finding(
                code="methods-agree",
                severity="note",
                evidence=evidence,
                consequence="their differences lie within their intervals",
                remedy="plan with the parametric law, whose interval is the narrowest",
            )
        ]
    return [
        Finding(
            code="methods-disagree",
            severity="warning",
            evidence=evidence,
            consequence="the difference is larger than both intervals allow: a method is biased, "
            "or the law is wrong",
            remedy="look for parabola-bias and winners-curse among the findings, and at the law's "
            "residuals; the parametric fit has neither bias where its law holds",
        )
    ]
