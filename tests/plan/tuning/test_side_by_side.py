"""Learning rates and batches by every rule, against the papers' own numbers."""

import numpy as np
import pytest
from plan.fitted import fit_planted

from isoflop.base.errors import InputError
from isoflop.laws.tuning import BatchLaw
from isoflop.plan.optimum.published_ranges import RANGES
from isoflop.plan.tuning.side_by_side import Recommendation, compare_tuning


def by_rule(n_params: float, n_tokens: float, **options: object) -> dict[str, Recommendation]:
    return {row.rule: row for row in compare_tuning(n_params, n_tokens, **options).rows}


def test_step_law_at_a_billion_parameters() -> None:
    rows = by_rule(1e9, 2e10)
    assert f"{rows['li-2025-lr'].value.value:.1e}" == "1.0e-03"
    assert f"{rows['li-2025-batch'].value.value:.1e}" == "4.4e+05"
    assert rows["li-2025-lr"].reach == "within its runs"


@pytest.mark.parametrize(("n_params", "rate"), [(98304, "0.00164"), (6.79e8, "0.000402")])
def test_kaplans_rule_gives_henighans_table_4(n_params: float, rate: str) -> None:
    found = by_rule(n_params, 1e10)["kaplan-2020-lr"].value.value
    assert f"{found:.3g}" == rate


def test_deepseek_reads_compute() -> None:
    rows = by_rule(1e9, 1e20 / 6e9)  # C = 1e20
    assert rows["deepseek-2024-lr"].value.value == pytest.approx(0.3118 * 1e20**-0.1250)
    assert rows["deepseek-2024-batch"].value.value == pytest.approx(0.2920 * 1e20**0.3271)
    assert rows["deepseek-2024-lr"].beyond == pytest.approx({"flops": 5.0})
    assert rows["deepseek-2024-lr"].reach == "flops 5.00× outside"


def test_the_critical_batch_reads_the_loss() -> None:
    found = by_rule(1e9, 2e10, loss=3.0)["kaplan-2020-b-crit-l"]
    assert f"{found.value.value:.2e}" == "1.12e+06"
    assumed = by_rule(1e9, 2e10)["kaplan-2020-b-crit-l"].read["loss"]
    inner = (6.4e13 / 1e9) ** (0.076 / 0.103) + 1.8e13 / 2e10
    assert assumed == pytest.approx(inner**0.103, rel=1e-12)


def test_a_rate_below_zero_is_no_rate() -> None:
    found = by_rule(1.75e11, 3e11)["kaplan-2020-lr"]  # zero at 1.2e10
    assert np.isnan(found.value.value)
    assert found.reach == "outside the formula's domain"
    assert found.to_dict()["value"]["value"] is None
    assert by_rule(1.2e10, 3e11)["kaplan-2020-lr"].value.value < 2e-6


def test_the_spread_is_the_largest_over_the_smallest() -> None:
    found = compare_tuning(7e9, 1.4e11)
    batches = [row.value.value for row in found.rows if row.quantity == "batch_tokens"]
    assert len(batches) == 3
    assert found.spread["batch_tokens"] == pytest.approx(max(batches) / min(batches))
    assert "no covariance" in found.notes[0]


def test_every_published_rule_shown_has_its_range() -> None:
    for row in compare_tuning(1e9, 2e10).rows:
        assert row.ranges == {name: RANGES[row.rule][name] for name in row.read}


def test_ones_own_rule_stands_beside_them_with_its_interval() -> None:
    grid = {"n_tokens": np.geomspace(1e9, 1e11, 15)}
    fit = fit_planted(BatchLaw(), [0.58, 0.571], grid, noise=0.1)
    row = by_rule(1e9, 1e12, rules=[fit])["batch-size"]
    assert row.value.low < row.value.value < row.value.high
    assert row.value.value == pytest.approx(0.58 * 1e12**0.571, rel=0.3)
    assert row.beyond == pytest.approx({"n_tokens": 10.0})
    assert row.source == "planted.csv"


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="besiroglu-2024 predicts loss from n_params, n_tokens"):
        compare_tuning(1e9, 2e10, rules=["besiroglu-2024"])
    with pytest.raises(InputError, match="n_tokens must be positive"):
        compare_tuning(1e9, -1)
