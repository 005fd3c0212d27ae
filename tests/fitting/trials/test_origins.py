"""The rolling-origin backtest: origins, misses, coverage, and the drift of the constant."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table, table_of

from isoflop.base.errors import InputError
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.trials.origins import roll_backtest
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.kaplan import KaplanTokensConstantLaw
from isoflop.laws.power import PowerConstantLaw, PowerLaw

EPOCH = SURFACES["epoch"]
BUDGETS = np.geomspace(1e18, 1e21, 7)
SPEC = FitSpec(n_resamples=60, n_starts=12)
POINT = FitSpec(n_resamples=0, n_starts=12)


def seven_budgets(noise: float = 0.005, seed: int = 0):
    N, D = isoflop_design(EPOCH, points=9, budgets=BUDGETS)
    return make_table(EPOCH, N, D, noise=noise, seed=seed)


def test_origins_stand_at_the_budgets_and_predict_all_that_is_larger() -> None:
    rolling = roll_backtest(seven_budgets(), ChinchillaLaw(), POINT)
    assert [o.largest for o in rolling.origins] == pytest.approx(BUDGETS[3:6])
    assert [(o.n_fitted, o.n_hidden) for o in rolling.origins] == [(36, 27), (45, 18), (54, 9)]
    assert rolling.complete


def test_a_miss_is_the_fit_of_the_smaller_runs_held_against_the_larger() -> None:
    table = seven_budgets()
    small = table.numbers("flops") < 2e20
    fit = fit_parametric(table.select(small), ChinchillaLaw(), POINT)
    hidden = table.select(~small)
    N, D = hidden.numbers("n_params"), hidden.numbers("n_tokens")
    misses = np.log(hidden.numbers("loss") / chinchilla(fit.theta, N, D))
    origin = roll_backtest(table, ChinchillaLaw(), POINT).origins[1]
    assert origin.rmsle == pytest.approx(np.sqrt(np.mean(misses**2)), rel=1e-9)
    assert origin.bias == pytest.approx(misses.mean(), rel=1e-9)
    assert origin.coverage is None


@pytest.mark.parametrize("share", [0.03, -0.03])
def test_the_mean_miss_is_positive_where_the_law_was_too_optimistic(share: float) -> None:
    table = seven_budgets()
    top = table.numbers("flops") > 5e20
    loss = table.numbers("loss") * np.where(top, 1 + share, 1.0)
    names = ("n_params", "n_tokens", "flops")
    table = table_of(**{name: table.numbers(name) for name in names}, loss=loss)
    last = roll_backtest(table, ChinchillaLaw(), POINT).origins[-1]
    assert last.bias == pytest.approx(np.log1p(share), abs=0.01)


def test_the_score_is_the_root_mean_square_over_origins() -> None:
    rolling = roll_backtest(seven_budgets(), ChinchillaLaw(), POINT)
    misses = [origin.rmsle for origin in rolling.origins]
    assert rolling.rmsle == pytest.approx(np.sqrt(np.mean(np.square(misses))))


def test_without_noise_the_planted_law_foresees_everything() -> None:
    rolling = roll_backtest(seven_budgets(noise=0.0), ChinchillaLaw(), POINT)
    assert rolling.rmsle < 1e-8


def test_the_right_law_keeps_its_constant_and_is_not_blamed() -> None:
    results = [roll_backtest(seven_budgets(seed=s), ChinchillaLaw(), SPEC) for s in range(8)]
    assert [f.code for r in results for f in r.findings] == []
    assert np.mean([r.coverage for r in results]) > 0.75
    for result in results:
        for origin in result.origins:
            assert origin.constant.low < origin.constant.value < origin.constant.high


def test_a_constant_that_drifts_is_a_warning() -> None:
    # A coupled law without a constant: what Chinchilla calls E is the range's, and falls with it.
    N, D = isoflop_design(EPOCH, points=9, half_width=8, budgets=np.geomspace(1e17, 1e22, 9))
    loss = KaplanTokensConstantLaw().predict(
        np.array([0.0, 0.076, 0.103, 6.4e13, 1.8e13]), {"n_params": N, "n_tokens": D}
    )
    loss = loss * np.exp(0.002 * np.random.default_rng(0).standard_normal(len(N)))
    table = table_of(n_params=N, n_tokens=D, flops=6 * N * D, loss=loss)
    rolling = roll_backtest(table, ChinchillaLaw(), SPEC)
    (finding,) = rolling.findings
    assert (finding.code, finding.severity) == ("constant-drifts", "warning")
    values = [origin.constant.value for origin in rolling.origins]
    assert values == sorted(values, reverse=True)


def test_an_origin_that_cannot_be_fitted_is_told_with_its_reason() -> None:
    table = table_of(flops=np.geomspace(1e18, 1e20, 6), loss=np.linspace(4, 3, 6))
    rolling = roll_backtest(table, PowerConstantLaw("flops"), POINT)
    assert not rolling.complete
    (largest, reason), *_ = rolling.failures
    assert largest == pytest.approx(10**18.8)
    assert "3 distinct runs cannot determine the 3 parameters" in reason


def test_a_law_without_a_constant_has_none_to_drift() -> None:
    table = table_of(flops=np.geomspace(1e18, 1e20, 8), loss=np.geomspace(4, 3, 8))
    rolling = roll_backtest(table, PowerLaw("flops"), POINT)
    assert [origin.constant for origin in rolling.origins] == [None] * 4


def test_one_scale_cannot_be_rolled() -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, budgets=np.array([1e19])))
    with pytest.raises(InputError, match="all runs are of one scale"):
        roll_backtest(table, ChinchillaLaw(), POINT)
