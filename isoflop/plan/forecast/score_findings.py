"""What a reader of an extrapolated score should know.

Legend: s score as a share, h human level.
"""

import numpy as np

from isoflop.base.estimate import Estimate, shorten
from isoflop.plan.forecast.scores import ScoreSeries
from isoflop.plan.forecast.transitions import Transition
from isoflop.runs.finding import Finding

MANY_AT_FLOOR = 0.2
"""Share of scores at the floor from which a curve through them cannot be trusted."""
FORMS_AGREE = 2.0
"""Orders of magnitude between two forms beyond which the answer is the form's."""


def check_floor(series: ScoreSeries, chance: float, n_questions: int | None) -> list[Finding]:
    """Report scores that cannot be told from guessing.

    Args:
        series: the scores.
        chance: share right by guessing, 0 for an exact match.
        n_questions: questions a score is the share of, for its standard error.
    """
    error = 0.0 if n_questions is None else np.sqrt(max(chance * (1 - chance), 0.0) / n_questions)
    count = int(np.sum(series.share <= chance + 2 * error))
    if count < MANY_AT_FLOOR * len(series.share) or count == 0:
        return []
    unseen = ""
    if n_questions is not None:  # p is missed n times with chance (1 - p)^n, 5 % at p = 3/n
        unseen = (
            f"; 0 of {n_questions} is anything below {3 / n_questions:.1%}"
            if chance == 0
            else f"; one standard error of {n_questions} questions is {error:.1%}"
        )
    floor = "solve no question" if chance == 0 else f"are at chance, {chance:.1%}"
    return [
        Finding(
            code="score-at-floor",
            severity="warning",
            evidence=f"{series.name}: {count} of {len(series.share)} models {floor}{unseen}",
            consequence="their scores say nothing about larger models; their losses do",
            remedy="forecast the loss and map it to the score, see docs/forecasts.md",
        )
    ]


def judge_transition(series: ScoreSeries, found: Transition | None) -> list[Finding]:
    """Report a jump, and whether the metric alone would make it."""
    if found is None:
        return []
    evidence = (
        f"{series.name}: {found.share:.1%} at {shorten(found.size)}, where the line through the "
        f"smaller sizes expects {found.expected:.1%} (p = {found.p_value:.2g})"
    )
    if found.smooth:
        return [
            Finding(
                code="metric-mirage",
                severity="warning",
                evidence=evidence + "; exact match of a loss that falls smoothly announces it",
                consequence="the metric makes the jump, not the model: its date is the metric's",
                remedy="forecast the loss per token and map it; or score by edit distance",
            )
        ]
    return [
        Finding(
            code="phase-transition",
            severity="warning",
            evidence=evidence + "; exact match of a smooth loss does not announce it either",
            consequence="the score does not follow one line across it, and no form fitted below a "
            "break foretells it",
            remedy="measure sizes between "
            f"{shorten(found.before)} and {shorten(found.size)}; look at the loss",
        )
    ]


def judge_orders(
    series: ScoreSeries, human: float, orders: dict[str, Estimate | None]
) -> list[Finding]:
    """Report forms that contradict what was measured, or each other.

    Args:
        series: the scores.
        human: level to reach, a share.
        orders: {straight form: orders of magnitude, None for never}.
    """
    best = float(series.share.max())
    if best >= human:
        return [_passed(series, human, best)]
    known = {name: each.value for name, each in orders.items() if each is not None}
    negative = [f"{name} {value:+.2f}" for name, value in known.items() if value < 0]
    findings = [_wrong_form(series, human, negative)] if negative else []
    never = [name for name in orders if name not in known]
    if never:
        findings.append(_never(series, never))
    if known and max(known.values()) - min(known.values()) > FORMS_AGREE:
        findings.append(_disagree(series, known))
    return findings


def warn_unverified(tasks: list[str]) -> Finding:
    """Say which human levels nobody verified."""
    return Finding(
        code="human-level-unverified",
        severity="note",
        evidence=f"human level of {', '.join(tasks)}: from memory, not verified",
        consequence="orders of magnitude to a level are worth what the level is",
        remedy="give the level you trust: --human TASK=PERCENT",
    )


def _passed(series: ScoreSeries, human: float, best: float) -> Finding:
    return Finding(
        code="already-passed",
        severity="note",
        evidence=f"{series.name}: {best:.1%} measured, human level is {human:.1%}",
        consequence="orders of magnitude count back to where each form says it was passed",
        remedy="take a harder benchmark, or a higher level",
    )


def _wrong_form(series: ScoreSeries, human: float, negative: list[str]) -> Finding:
    return Finding(
        code="wrong-form",
        severity="warning",
        evidence=f"{series.name}: {', '.join(negative)} orders, though the largest model has "
        f"{series.share[-1]:.1%} and human level is {human:.1%}",
        consequence="the form says the level was passed at sizes that did not pass it: it bends "
        "too late",
        remedy="read a form that levels off: power-error or bnsl",
    )


def _never(series: ScoreSeries, forms: list[str]) -> Finding:
    return Finding(
        code="no-progress",
        severity="warning",
        evidence=f"{series.name}: the score does not rise with size in {', '.join(forms)}",
        consequence="no size reaches the level by this form",
        remedy="look at the loss; a score that does not move carries no forecast",
    )


def _disagree(series: ScoreSeries, known: dict[str, float]) -> Finding:
    listed = ", ".join(f"{name} {value:.1f}" for name, value in known.items())
    return Finding(
        code="forms-disagree",
        severity="note",
        evidence=f"{series.name}: {listed} orders of magnitude",
        consequence="the forms fit alike where there are scores: which is right is not measured",
        remedy="read the range, or measure a larger model",
    )
