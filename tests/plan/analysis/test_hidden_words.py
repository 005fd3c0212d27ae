"""One line of a backtest: hidden runs by their own compute, the largest by its own."""

from dataclasses import replace

import numpy as np
import pytest
from planted import SURFACES, grid_design, isoflop_design, make_table

from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.trials.backtest import backtest_largest_budget
from isoflop.fitting.trials.hidden_runs import find_side
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.plan.analysis.hidden_words import describe_hidden, describe_runs, one_budget

EPOCH = SURFACES["epoch"]
SPEC = FitSpec(n_resamples=60, n_starts=8)


@pytest.fixture(scope="module")
def scattered():
    N, D = grid_design()
    return make_table(EPOCH, N, D, noise=0.003)


@pytest.fixture(scope="module")
def hidden(scattered):
    return backtest_largest_budget(scattered, ChinchillaLaw(), SPEC)


def test_scattered_runs_are_named_by_the_lowest_and_highest_compute(scattered, hidden) -> None:
    flops = np.sort(scattered.numbers("flops"))[-hidden.n_hidden :]
    assert flops[-1] > 2 * flops[0]
    ends = f"(from {shorten(flops[0])} to {shorten(flops[-1])} FLOPs)"
    assert describe_runs(hidden) == f"{hidden.n_hidden} largest runs {ends}"
    assert not one_budget(hidden)


def test_the_largest_run_is_given_its_own_compute_prediction_and_loss(scattered, hidden) -> None:
    line = describe_hidden(hidden)
    row = int(np.argmax(scattered.numbers("flops")))
    largest = scattered.numbers("flops")[row]
    place = hidden.names.index(scattered.names()[row])
    predicted, measured = hidden.predicted[place], scattered.numbers("loss")[row]
    inside = predicted.low <= measured <= predicted.high
    count = sum(
        e.low <= m <= e.high for e, m in zip(hidden.predicted, hidden.measured, strict=True)
    )
    assert f"hidden, {count} inside their 90 % intervals" in line
    assert line.endswith(
        f"the largest ({shorten(float(largest))} FLOPs): chinchilla predicted {predicted}, "
        f"measured {measured:.4f}: {'inside' if inside else 'OUTSIDE'}"
    )
    assert "\n" not in line


def test_runs_of_one_budget_are_named_by_it() -> None:
    N, D = isoflop_design(EPOCH, points=9)
    backtest = backtest_largest_budget(make_table(EPOCH, N, D, noise=0.003), ChinchillaLaw(), SPEC)
    budget = shorten(float((6 * N * D).max()), digits=2)
    assert one_budget(backtest)
    assert describe_runs(backtest) == f"9 runs of the largest budget ({budget} FLOPs)"
    assert "the run it would have chosen: chinchilla predicted" in describe_hidden(backtest)


def test_runs_without_intervals_are_neither_inside_nor_outside(hidden) -> None:
    bare = replace(
        hidden,
        predicted=tuple(Estimate(e.value) for e in hidden.predicted),
        chosen_predicted=Estimate(hidden.chosen_predicted.value),
    )
    line = describe_hidden(bare)
    assert "no run has an interval" in line
    assert line.endswith("no interval")
    assert "inside" not in line
    assert "OUTSIDE" not in line
    assert "no run has an interval" in str(bare)  # what `isoflop backtest` prints
    assert bare.to_dict()["coverage"] is None
    assert bare.to_dict()["inside"] is None
    assert hidden.to_dict()["coverage"] == hidden.coverage


@pytest.mark.parametrize(
    ("measured", "side"), [(2.0, "inside"), (1.8, "below"), (2.4, "above"), (1.9, "inside")]
)
def test_a_measurement_lies_inside_above_or_below(measured: float, side: str) -> None:
    assert find_side(measured, Estimate(2.1, 1.9, 2.3)) == side
