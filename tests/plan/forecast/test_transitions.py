"""Jumps that are there, jumps that the metric makes, and lines without one."""

import numpy as np
import pytest

from isoflop.plan.forecast.score_findings import check_floor, judge_transition
from isoflop.plan.forecast.scores import ScoreSeries
from isoflop.plan.forecast.transitions import find_transition

SIZES = np.array([1.25e8, 3.5e8, 7.6e8, 1.3e9, 2.7e9, 6.7e9, 1.3e10, 1.75e11])
ADDITION = np.array([2.0, 4.1, 3.5, 4.5, 8.9, 11.9, 55.5, 100.0]) / 100
"""Two-digit addition, few-shot, Brown et al. 2020."""
THREE_DIGITS = np.array([0.05, 0.45, 0.30, 0.55, 0.75, 0.90, 8.40, 80.4]) / 100


def series_of(share, size=SIZES) -> ScoreSeries:
    return ScoreSeries("addition", "few", size, np.asarray(share))


def test_addition_of_two_digits_begins_between_7_and_13_billion() -> None:
    found = find_transition(series_of(ADDITION))
    assert (found.before, found.size) == (6.7e9, 1.3e10)
    assert not found.smooth
    assert judge_transition(series_of(ADDITION), found)[0].code == "phase-transition"


def test_addition_of_three_digits_begins_there_too_or_one_size_later() -> None:
    found = find_transition(series_of(THREE_DIGITS))
    assert found.size in (1.3e10, 1.75e11)
    assert not found.smooth


def test_exact_match_of_a_smooth_loss_jumps_by_its_metric_alone() -> None:
    """Schaeffer et al. 2023: p = exp(-(x/c)^-alpha) a token, all of K tokens right: p^K."""
    size = 10 ** np.linspace(7, 12, 9)
    noise = np.exp(0.03 * np.random.default_rng(0).standard_normal(9))
    share = np.exp(-40 * noise * (size / 1e8) ** -0.45)
    found = find_transition(series_of(share, size))
    assert found.smooth
    assert judge_transition(series_of(share, size), found)[0].code == "metric-mirage"


def test_lines_rarely_jump() -> None:
    """Five false alarms in a hundred at most, by the bound on the tests made together."""
    alarms = 0
    for seed in range(400):
        noise = 0.01 * np.random.default_rng(seed).standard_normal(8)
        alarms += find_transition(series_of(0.5 + 0.04 * np.log(SIZES / 1e10) + noise)) is not None
    assert alarms <= 0.05 * 400


def test_a_fall_or_a_short_series_is_no_transition() -> None:
    assert find_transition(series_of(ADDITION[::-1])) is None
    assert find_transition(series_of(ADDITION[:4], SIZES[:4])) is None
    assert judge_transition(series_of(ADDITION), None) == []


@pytest.mark.parametrize(
    ("share", "chance", "questions", "evidence"),
    [
        ([0, 0, 0.1, 0.2, 0.3], 0.0, None, "2 of 5 models solve no question"),
        ([0, 0, 0.1, 0.2, 0.3], 0.0, 200, "solve no question; 0 of 200 is anything below 1.5%"),
        ([0.26, 0.25, 0.29, 0.4], 0.25, 100, "3 of 4 models are at chance, 25.0%; one standard"),
    ],
)  # fmt: skip
def test_scores_at_the_floor_are_counted(share, chance, questions, evidence: str) -> None:
    series = series_of(share, SIZES[: len(share)])
    (finding,) = check_floor(series, chance, questions)
    assert finding.code == "score-at-floor"
    assert evidence in finding.evidence


def test_one_zero_in_eight_is_no_finding() -> None:
    assert check_floor(series_of([0, *[0.1] * 7]), 0.0, None) == []
