"""The critical batch: its values, the hyperbola, and three ways to the limits."""

from dataclasses import replace

import numpy as np
import pytest
from plan.fitted import fit_planted

from isoflop.base.errors import InputError, RefusalError
from isoflop.base.units import PF_DAY
from isoflop.laws.critical_batch import BatchTradeLaw, CriticalBatchLaw
from isoflop.plan.kaplan.batch import plan_batch, plan_batch_for_loss, plan_batch_from_runs
from isoflop.plan.kaplan.trades import BatchPlan


def assert_hyperbola(plan: BatchPlan) -> None:
    """(S/S_min - 1)(E/E_min - 1) = 1 and E = B·S at every batch."""
    for trade in plan.trades:
        S, E = trade.steps.value, trade.n_tokens.value
        product = (S / plan.steps_min.value - 1) * (E / plan.tokens_min.value - 1)
        assert product == pytest.approx(1, rel=1e-9)
        assert trade.batch_tokens.value * S == pytest.approx(E, rel=1e-12)
        assert trade.steps_ratio.value == pytest.approx(S / plan.steps_min.value, rel=1e-12)
        if trade.flops is not None:
            assert trade.flops.value == pytest.approx(6 * plan.n_params.value * E, rel=1e-12)


@pytest.mark.parametrize(("loss", "critical"), [(3.0, "1.12e+06"), (2.5, "2.67e+06")])
def test_critical_batches_of_the_fact_sheet(loss: float, critical: str) -> None:
    plan = plan_batch_for_loss(loss, 1e11)
    assert f"{plan.critical_batch.value:.2e}" == critical
    assert_hyperbola(plan)


def test_the_critical_batch_doubles_for_thirteen_per_cent_less_loss() -> None:
    before, after = (plan_batch_for_loss(x, 1e12).critical_batch.value for x in (3, 3 * 2**-0.21))
    assert after == pytest.approx(2 * before, rel=1e-12)
    assert f"{plan_batch_for_loss(2.0, 1e12).critical_batch.value:.1e}" == "7.7e+06"


def test_one_pf_day_on_the_measured_frontier_agrees_with_table_6() -> None:
    plan = plan_batch(PF_DAY)
    assert f"{plan.n_params.value:.1e}" == "1.3e+09"
    assert f"{plan.loss.value:.2f}" == "2.66"
    assert f"{plan.critical_batch.value:.1e}" == "2.0e+06"  # B_crit = 2.0e6 C^.24
    assert plan.steps_min.value == pytest.approx(5.4e3, rel=0.03)  # S_min = 5.4e3 C^.03
    assert plan.flops_min.value == pytest.approx(PF_DAY, rel=1e-12)
    assert_hyperbola(plan)


def test_one_pf_day_on_the_derived_frontier() -> None:
    plan = plan_batch(PF_DAY, frontier="theory")
    assert f"{plan.n_params.value:.1e}" == "5.8e+08"
    assert f"{plan.loss.value:.2f}" == "2.69"
    assert f"{plan.steps_min.value:.1e}" == "1.3e+04"  # the theory's own S(C), here from B_crit


def test_training_at_the_critical_batch_costs_twice_both_minima() -> None:
    critical = plan_batch(1e21).critical_batch.value
    (trade,) = plan_batch(1e21, batches=[critical]).trades
    assert (trade.steps_ratio.value, trade.tokens_ratio.value) == pytest.approx((2, 2), rel=1e-12)
    assert trade.flops.value == pytest.approx(2e21, rel=1e-12)


def test_time_follows_the_steps() -> None:
    slow, fast = plan_batch(1e21, batches=[1e5, 1e8], step_seconds=2.0).trades
    assert slow.train_seconds.value == pytest.approx(2 * slow.steps.value, rel=1e-12)
    assert fast.train_seconds.value < slow.train_seconds.value
    assert plan_batch(1e21).trades[0].train_seconds is None
    with pytest.raises(InputError, match="step_seconds must be positive"):
        plan_batch(1e21, step_seconds=0.0)


def test_measured_steps_bring_their_own_interval() -> None:
    grid = {"batch_tokens": np.geomspace(1e4, 1e8, 12)}
    plan = plan_batch_from_runs(fit_planted(BatchTradeLaw(), [4e3, 2e9], grid, noise=0.02))
    assert plan.critical_batch.low < 5e5 < plan.critical_batch.high
    assert plan.steps_min.low < 4e3 < plan.steps_min.high
    assert (plan.loss, plan.n_params, plan.flops_min) == (None, None, None)
    assert_hyperbola(plan)
    assert all(trade.flops is None for trade in plan.trades)
    assert plan.to_dict()["trades"][0]["flops"] is None


def test_a_loss_below_the_converged_one_is_refused() -> None:
    with pytest.raises(RefusalError, match=r"never reaches 2 nats.*converged loss is 2\.34"):
        plan_batch_for_loss(2.0, 1e9)


def test_laws_in_other_units_are_not_mixed() -> None:
    grid = {"loss": np.linspace(2.2, 5.0, 12)}
    fit = fit_planted(CriticalBatchLaw(), [2.1e8, 0.21], grid, noise=0.05, draws=20)
    assert plan_batch(1e21, critical_law=fit).critical_batch.low is not None
    assert "they are held" in plan_batch(1e21, critical_law=fit).notes[0]
    in_bits = replace(fit, data=replace(fit.data, loss_unit="bits/byte"))
    with pytest.raises(InputError, match="kaplan-2020-ns in nats/token, critical-batch in bits/by"):
        plan_batch_for_loss(2.6, 1.5e9, critical_law=in_bits)
    with pytest.raises(InputError, match="different units cannot be combined"):
        plan_batch(1e21, critical_law=in_bits)


def test_bad_amounts_and_names_are_refused() -> None:
    with pytest.raises(InputError, match="flops must be positive"):
        plan_batch(-1)
    with pytest.raises(InputError, match="batch_tokens must be positive"):
        plan_batch(1e21, batches=[0.0])
    with pytest.raises(InputError, match="frontier must be one of table-6, theory"):
        plan_batch(1e21, frontier="hoffmann")
