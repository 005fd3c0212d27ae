"""What the figures show, read from their data; no ink needed."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from isoflop.base.errors import InputError
from isoflop.draw.backtest import backtest_figure
from isoflop.draw.contours import contours_figure
from isoflop.draw.data import COLUMNS, figure_csv, figure_document, figure_json
from isoflop.draw.isoflop_valleys import isoflop_figure
from isoflop.draw.learning_curves import learning_curves_figure
from isoflop.draw.loss_curves import loss_curves_figure
from isoflop.draw.residuals import residuals_figure
from isoflop.draw.series import axis_labels, flops_per_param_token
from isoflop.fitting.frontiers.isoflop import fit_isoflop
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.trials.backtest import backtest_largest_budget
from isoflop.plan.optimum.allocate import plan_from_fit
from isoflop.runs.cost import TokenCost
from isoflop.runs.table import RunTable

SPEC = FitSpec(n_resamples=40, n_starts=16)


def test_loss_curves_have_one_panel_a_recorded_variable(table, joint):
    panels = loss_curves_figure(table, joint=joint).panels
    assert [panel.variable for panel in panels] == ["n_params", "n_tokens", "flops"]
    assert [panel.colour_by for panel in panels] == ["n_tokens", "n_params", "n_params"]


def test_a_variable_that_never_varies_has_no_panel():
    rows = [{"n_params": 1e6, "n_tokens": d, "loss": 1 + 1e3 / d} for d in (1e6, 1e7, 1e8)]
    panels = loss_curves_figure(RunTable.from_records(rows)).panels
    assert [panel.variable for panel in panels] == ["n_tokens"]


def test_a_table_without_variables_is_refused():
    with pytest.raises(InputError, match="no column of n_params, n_tokens, flops varies"):
        loss_curves_figure(RunTable.from_records([{"loss": 2.0}, {"loss": 3.0}]))


def test_slices_are_the_law_at_the_value_they_name(table, joint):
    panel = loss_curves_figure(table, joint=joint).panels[2]
    line, size = panel.slices[0], panel.at[0]
    tokens = line.x / (6 * size)
    expected = joint.law.predict(
        joint.theta, {"n_params": np.full_like(tokens, size), "n_tokens": tokens}
    )
    assert expected == pytest.approx(line.y)


def test_a_single_law_carries_its_label_and_its_band(table, single):
    panel = loss_curves_figure(table, singles={"L(C) of all": single}).panels[2]
    assert panel.single.label == "L(C) of all"
    assert np.all(panel.single.low <= panel.single.y)
    assert np.all(panel.single.y <= panel.single.high)


def test_the_envelope_never_rises_and_never_lies_above_a_curve(curves):
    figure = learning_curves_figure(curves)
    assert np.all(np.diff(figure.envelope.y) <= 0)
    for curve in figure.curves:
        inside = (figure.envelope.x >= curve.flops[0]) & (figure.envelope.x <= curve.flops[-1])
        x = np.log(figure.envelope.x[inside])
        curve_there = np.exp(np.interp(x, np.log(curve.flops), np.log(curve.loss)))
        assert np.all(figure.envelope.y[inside] <= curve_there * (1 + 1e-12))


def test_learning_curves_are_ordered_by_size_and_keep_the_finished_runs_apart(curves, table):
    figure = learning_curves_figure(curves, finals=table)
    assert [curve.n_params for curve in figure.curves] == [1e4, 6e4, 4e5]
    assert list(figure.finals_by_flops.x) == list(table.numbers("flops"))
    assert list(figure.finals_by_tokens.y) == list(table.numbers("loss"))


def test_no_learning_curves_are_refused():
    with pytest.raises(InputError, match="no learning curves"):
        learning_curves_figure([])


def test_an_excluded_valley_keeps_its_verdict_and_loses_its_minimum(table):
    frontier = fit_isoflop(table, SPEC)
    bad = replace(frontier.valleys[-1], verdict="the parabola opens downwards")
    figure = isoflop_figure(replace(frontier, valleys=(*frontier.valleys[:-1], bad)))
    assert [valley.verdict for valley in figure.valleys] == [
        "", "", "the parabola opens downwards",
    ]  # fmt: skip
    assert np.isnan(figure.valleys[-1].n_opt)
    assert figure.valleys[0].n_opt == frontier.valleys[0].n_opt


def test_each_convention_gets_its_line(table):
    frontier = fit_isoflop(table, SPEC)
    figure = isoflop_figure(frontier, conventions={"total": frontier, "non-embedding": frontier})
    assert [line.convention for line in figure.frontiers] == ["total", "non-embedding"]
    assert figure.frontiers[0].exponent == str(frontier.params["a"])


def test_a_reach_below_one_is_refused(table):
    with pytest.raises(InputError, match="1 or more"):
        isoflop_figure(fit_isoflop(table, SPEC), reach=0.5)


@pytest.mark.parametrize("cost", [TokenCost(), TokenCost(300.0)])
def test_contours_show_the_law_at_the_compute_its_tokens_cost(table, joint, cost):
    plan = plan_from_fit(joint, 1e14, cost=cost)
    figure = contours_figure(joint, table, plans=[plan], cost=cost)
    row, column = 17, 61
    N, C = figure.n_params[row], figure.flops[column]
    D = C / float(cost.flops_per_token(np.array([N]))[0])
    variables = {"n_params": np.array([N]), "n_tokens": np.array([D])}
    assert joint.law.predict(joint.theta, variables)[0] == pytest.approx(figure.loss[row, column])
    assert figure.plans[0].n_params == plan.n_params.value
    assert figure.flops[0] < figure.runs.x.min()
    assert figure.flops[-1] > 1e14


def test_the_frontier_of_the_contours_runs_through_the_plan(table, joint):
    plan = plan_from_fit(joint, 1e13)
    line = contours_figure(joint, table, plans=[plan]).frontier
    there = np.exp(np.interp(np.log(1e13), np.log(line.x), np.log(line.y)))
    assert there == pytest.approx(plan.n_params.value)


def test_contours_of_a_one_variable_law_are_refused(table, single):
    with pytest.raises(InputError, match="n_params and n_tokens"):
        contours_figure(single, table)


def test_residuals_are_those_of_the_fit_in_percent(table, joint):
    figure = residuals_figure(joint, table)
    assert 100 * joint.rms == pytest.approx(figure.rms)
    assert 100 * np.expm1(joint.residuals) == pytest.approx(figure.panels[0].points.y)
    assert [panel.variable for panel in figure.panels] == ["n_params", "n_tokens"]


def test_the_backtest_knows_which_runs_lie_inside(table, joint):
    backtest = backtest_largest_budget(table, joint.law, SPEC)
    figure = backtest_figure(backtest)
    assert backtest.coverage == pytest.approx(figure.inside.mean())
    assert figure.has_sizes


def test_the_unit_of_the_loss_is_read_from_the_table(table):
    assert axis_labels(table).loss == "loss (nats/byte)"
    assert axis_labels(RunTable.from_records([{"loss": 2.0}])).loss == "loss (nats/token)"


def test_the_cost_of_a_run_is_read_from_the_table(table):
    assert flops_per_param_token(table) == pytest.approx(6.0)


def test_the_data_file_lists_every_point(table, joint):
    rows = list(csv.DictReader(io.StringIO(figure_csv(residuals_figure(joint, table)))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 2 * len(table)
    assert {row["run"] for row in rows} == set(table.names())
    assert [float(row["x"]) for row in rows[: len(table)]] == list(table.numbers("n_params"))


def test_the_data_file_of_a_figure_of_arrays_lists_its_columns(table, joint):
    figure = backtest_figure(backtest_largest_budget(table, joint.law, SPEC))
    rows = list(csv.DictReader(io.StringIO(figure_csv(figure))))
    assert [float(row["measured"]) for row in rows] == list(figure.measured)


def test_nan_becomes_null_in_the_json(table, joint):
    figure = backtest_figure(backtest_largest_budget(table, joint.law, SPEC))
    figure = replace(figure, low=np.full_like(figure.low, np.nan))
    assert json.loads(figure_json(figure))["low"] == [None] * len(figure.low)
    assert figure_document(figure)["figure"] == "BacktestFigure"


def test_a_run_name_that_is_a_formula_is_disarmed(table, joint):
    renamed = RunTable.from_records([{**row, "run": "=1+1"} for row in table.records()])
    assert "\n'" not in figure_csv(residuals_figure(joint, table))
    assert ",'=1+1," in figure_csv(residuals_figure(joint, renamed))


def test_predictions_are_joined_by_a_line_only_where_each_size_has_one(table, joint):
    figure = backtest_figure(backtest_largest_budget(table, joint.law, SPEC))
    assert figure.one_curve
    twice = replace(
        figure,
        n_params=np.repeat(figure.n_params, 2),
        predicted=np.outer(figure.predicted, [1.0, 1.2]).ravel(),
    )
    assert not twice.one_curve
