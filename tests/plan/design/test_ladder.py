"""Designed ladders against simulated studies, and what they refuse."""

import numpy as np
import pytest

import isoflop
from benchmarks.ladder_design import SURFACES, believe, forecast_errors, rows
from isoflop.base.errors import InputError, RefusalError
from isoflop.plan.design.candidates import propose_candidates
from isoflop.plan.design.equal_grid import equal_grid
from isoflop.plan.design.knowledge import know
from isoflop.plan.design.ladder import design_ladder, errors_of


def test_half_the_compute_forecasts_as_well_as_the_grid():
    for row in (row for row in rows(60) if row.spread == 8.0):
        assert row.share <= 0.5
        assert row.n_runs <= 63
        assert row.loss <= row.loss_of_grid * 1.05
        assert row.size <= row.size_of_grid


def test_promised_errors_are_those_of_simulated_studies():
    known = believe(SURFACES["epoch"])
    grid = equal_grid(known, 1.3e22)
    promised = errors_of(known, grid, 1e23)
    loss, size = forecast_errors(SURFACES["epoch"], grid, studies=400, seed=3)
    assert loss == pytest.approx(promised.loss, rel=0.12)
    assert size == pytest.approx(promised.size, rel=0.12)


def test_a_ladder_keeps_to_what_it_was_given():
    design = design_ladder(
        "besiroglu-2024", 1e21, 1e23, max_runs=20, spread=4, smallest=1e17, largest=2e20
    )
    runs = design.runs
    best = know("besiroglu-2024")
    centre = [isoflop.plan_budget("besiroglu-2024", c).n_params.value for c in runs.flops]
    assert len(runs) <= 20
    assert design.spent <= 1e21
    assert runs.flops.min() >= 1e17 * 0.999
    assert runs.flops.max() <= 2e20 * 1.001
    assert np.all(np.abs(np.log(runs.n_params / centre)) <= np.log(4) + 1e-9)
    np.testing.assert_allclose(6 * runs.n_params * runs.n_tokens, runs.flops)
    assert len(set(zip(runs.n_params, runs.n_tokens, strict=True))) == len(runs)
    assert best.largest is None
    assert design.before is None


def test_less_noise_sees_smaller_breaks():
    loud, quiet = (
        design_ladder("besiroglu-2024", 1e21, 1e23, max_runs=30, noise=s) for s in (0.01, 0.002)
    )
    assert quiet.detectable is not None
    assert loud.detectable is not None
    assert quiet.detectable == pytest.approx(loud.detectable / 5, rel=0.1)
    assert quiet.errors.loss == pytest.approx(loud.errors.loss / 5, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budget": -1.0}, "budget must be a positive number of FLOPs, found -1"),
        ({"flops": np.nan}, "target must be a positive number of FLOPs, found nan"),
        ({"max_runs": 5}, "chinchilla has 5 constants"),
        ({"spread": 1.0}, "more than 1x, found 1"),
        ({"smallest": 1e21, "largest": 1e20}, "span a range of compute"),
        ({"noise": -0.1}, "noise must be a positive"),
        ({"law": "kaplan-2020-l-n"}, "a design needs one of n_params and n_tokens"),
    ],
)
def test_refuses(change, words):
    given = {"law": "besiroglu-2024", "budget": 1e21, "flops": 1e23, **change}
    with pytest.raises(InputError, match=words):
        design_ladder(**given)


def test_published_constants_have_no_variance_to_reduce():
    with pytest.raises(RefusalError, match="isoflop design"):
        isoflop.rank_next_runs("besiroglu-2024", 1e23)
    assert len(propose_candidates(know("besiroglu-2024"), smallest=1e18, largest=1e20)) == 13 * 13


@pytest.mark.parametrize("max_runs", [12, 20, 30, 63])
def test_no_worse_than_a_grid_of_as_many_runs_and_as_much_compute(max_runs):
    design = design_ladder("besiroglu-2024", 1e21, 1e23, max_runs=max_runs)
    budgets, sizes = design.grid_shape
    assert budgets * sizes <= max_runs
    assert design.errors.loss < design.grid.loss
    assert design.errors.size < design.grid.size


def test_says_when_money_is_left_and_when_the_target_is_passed():
    few = design_ladder("besiroglu-2024", 1e21, 1e23, max_runs=6, largest=2e19)
    assert [finding.code for finding in few.findings] == ["budget-left-over"]
    near = design_ladder("besiroglu-2024", 1e22, 1e20)
    assert "target-within-ladder" in [finding.code for finding in near.findings]
    assert design_ladder("besiroglu-2024", 1e21, 1e23).findings == ()
