import numpy as np
import pytest

from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec
from isoflop.laws.kaplan import KaplanTokensLaw
from isoflop.plan.analysis.analysis import analyse_runs, count_as
from isoflop.plan.analysis.answer import all_findings, answer_lines
from isoflop.plan.analysis.identification import identification_rows, identification_verdict
from isoflop.plan.optimum.allocate import plan_from_fit
from isoflop.runs.table import RunTable

SPEC = FitSpec(Objective("squared"), n_resamples=200)


@pytest.fixture(scope="module")
def analysis(quiet_table):
    return analyse_runs(quiet_table, SPEC)


def test_the_planted_form_foresees_the_hidden_budget_best(analysis):
    assert analysis.best[0].law.name == "chinchilla"
    assert analysis.best[1].inside


def test_the_main_convention_is_the_one_whose_6nd_is_the_flops(analysis):
    assert analysis.convention == "non-embedding + head"
    assert analysis.cost.per_root == 0
    assert analysis.chinchilla.data.mapping["n_params"] == "n_params_with_head"


def test_planted_exponents_lie_inside_the_chinchilla_fits_intervals(analysis):
    alpha, beta, a = (
        {**analysis.chinchilla.params, **analysis.chinchilla.derived}[name]
        for name in ("alpha", "beta", "a")
    )
    assert alpha.low <= 0.28 <= alpha.high
    assert beta.low <= 0.38 <= beta.high
    assert a.low <= 0.38 / 0.66 <= a.high


def test_every_count_of_n_has_its_frontier_and_the_exponent_falls_with_embeddings(analysis):
    exponents = {name: f.params["a"].value for name, f in analysis.frontiers.items()}
    assert list(exponents) == ["non-embedding", "non-embedding + head", "total"]
    assert exponents["non-embedding"] > exponents["non-embedding + head"] > exponents["total"]


def test_the_joint_laws_exponent_over_the_budgets_equals_its_closed_form(analysis):
    closed = analysis.chinchilla.derived["a"].value
    assert analysis.exponents["chinchilla"].value == pytest.approx(closed, rel=1e-9)


def test_the_hidden_budgets_optimum_is_foreseen_by_the_smaller_ones(analysis):
    assert analysis.frontier_backtest is not None
    assert analysis.frontier_backtest.inside
    assert analysis.frontier_backtest.flops == pytest.approx(8e12)


def test_slices_name_what_is_fixed_and_follow_the_planted_law(analysis):
    labels = list(analysis.slices)
    assert labels[0].startswith("L(N) at D = ")
    assert labels[1].startswith("L(D) at N = ")
    assert labels[2] == "L(C) on the frontier"
    fit = analysis.slices[labels[1]]
    assert fit.rms < 0.01


def test_plans_are_ten_and_a_hundred_times_the_largest_budget_by_every_method(analysis):
    forms = [fit.law.name for fit, _ in analysis.ranked]
    expected = [(law, flops) for flops in (8e13, 8e14) for law in (*forms, "isoflop")]
    assert [(p.law, p.flops) for p in analysis.plans] == expected
    spent = analysis.plans[0]
    assert 6 * spent.n_params.value * spent.n_tokens.value == pytest.approx(8e13, rel=1e-9)


def test_the_answer_has_six_lines_with_numbers(analysis):
    lines = answer_lines(analysis)
    assert len(lines) == 6
    assert all(any(c.isdigit() for c in line) for line in lines)
    assert "a = " in lines[0]
    assert "inside" in lines[3]


def test_the_verdict_says_not_identified_when_the_interval_is_wide(quiet_table):
    loud = quiet_table.with_column(
        "loss",
        quiet_table.numbers("loss") * np.exp(0.05 * np.random.default_rng(0).standard_normal(35)),
    )
    verdict = identification_verdict(analyse_runs(loud, SPEC))
    assert "beta not identified" in verdict


def test_unfinished_runs_take_no_part(quiet_table):
    records = quiet_table.records()
    records[0] = {**records[0], "loss": None, "status": "diverged"}
    for record in records[1:]:
        record["status"] = "finished"
    table = type(quiet_table).from_records(records)
    assert len(analyse_runs(table, SPEC).table) == 34


def test_counting_another_n_changes_the_fit_and_is_recorded(quiet_table):
    counted = count_as(quiet_table, "n_params_non_embedding")
    assert counted.numbers("n_params")[0] == 24 * 12 * 12
    assert any("non-embedding" in note for note in counted.notes)


def test_a_cost_of_attention_moves_the_plan_to_fewer_tokens(analysis):
    from isoflop.runs.cost import TokenCost

    plain = plan_from_fit(analysis.chinchilla, 1e13)
    dearer = plan_from_fit(analysis.chinchilla, 1e13, cost=TokenCost(250.0))
    assert dearer.n_tokens.value < plain.n_tokens.value
    assert dearer.loss.value > plain.loss.value


def test_identification_is_shown_in_numbers(analysis):
    rows = dict(identification_rows(analysis))
    assert rows["design"] == (
        "35 runs of 7 sizes, 5 budgets of at least 7 sizes, 5 with their minimum inside the grid"
    )
    assert rows["conditioning of chinchilla"].startswith("condition number ")
    assert rows["range of flops"] == "1.20 decades"
    assert "inside" in rows["hidden budget's N*"]
    assert rows["L(C) on the frontier"].startswith("alpha 0.")


def test_the_answer_names_warnings_and_says_when_exponents_are_not_identified(quiet_table):
    N, D = quiet_table.numbers("n_params_with_head"), quiet_table.numbers("n_tokens")
    rows = [
        {**row, "n_tokens": 1e6 if d < np.median(D) else 4e6, "flops": 6 * n * d, "dataset": text}
        for row, n, d, text in zip(quiet_table.records(), N, D, ["a", "b"] * 18, strict=False)
    ]
    answer = answer_lines(analyse_runs(type(quiet_table).from_records(rows), SPEC))
    assert "alpha and beta not identified (condition number" in answer[-1]
    assert "mixed-dataset" in answer[-1]


def test_a_frontier_without_a_constant_admits_that_compute_may_bring_nothing(analysis):
    from dataclasses import replace

    from isoflop.fitting.frontiers.optima import FrontierPoints
    from isoflop.plan.optimum.allocate import plan_from_frontier

    points = analysis.frontier.points
    three = FrontierPoints(
        points.flops[:3], points.n_params[:3], points.n_tokens[:3], points.loss[:3]
    )
    plan = plan_from_frontier(replace(analysis.frontier, points=three), 1e15)
    assert plan.loss.high >= three.loss.min()
    assert any("cannot tell a constant" in note for note in plan.notes)


def test_a_suspected_law_is_among_the_findings_and_a_planted_one_is_not(quiet_table) -> None:
    flops = quiet_table.numbers("flops")
    bend = 0.05 * np.log10(flops / flops.min()) ** 2
    bent = quiet_table.with_column("loss", quiet_table.numbers("loss") * np.exp(bend), note="bent")
    spec = FitSpec(n_resamples=20, n_starts=8)
    suspected = analyse_runs(bent, spec)
    assert suspected.chinchilla.misfit is not None
    assert "law-suspected" in [finding.code for finding in all_findings(suspected)]
    plan = suspected.plans[0]
    assert plan.run_covers == "a single run, noise and suspected misfit in"
    trusted = analyse_runs(quiet_table, spec)
    assert "law-suspected" not in [finding.code for finding in all_findings(trusted)]
    assert trusted.plans[0].run_covers == "a single run, noise in, misfit not suspected"


@pytest.fixture(scope="module")
def two_sizes(quiet_table):
    sizes = np.unique(quiet_table.numbers("n_params"))[2:4]
    return analyse_runs(quiet_table.select(np.isin(quiet_table.numbers("n_params"), sizes)), SPEC)


def test_what_two_sizes_cannot_identify_is_neither_optimum_nor_plan(two_sizes):
    answer = dict(line.split(maxsplit=1) for line in answer_lines(two_sizes))
    assert two_sizes.plans == ()
    assert answer["Optimum"].startswith(("not identified", "not determined"))
    assert answer["Plan"].startswith("none: ")
    assert "2 sizes of N leave constants of the Chinchilla form free" in answer["Plan"]
    assert two_sizes.exponents == {}
    rows = dict(identification_rows(two_sizes))
    assert rows["Chinchilla alpha"].endswith("(not determined by these runs)")
    assert "alpha not determined" in answer["Law"]
    assert "no IsoFLOP frontier could be fitted (3 counts" in answer["By"]


def test_every_count_of_n_has_its_exponent_with_an_interval(analysis):
    line = answer_lines(analysis)[1]
    for words, frontier in analysis.frontiers.items():
        assert f"{words} {frontier.params['a']}" in line
        assert "[" in str(frontier.params["a"])
    assert line.endswith("(IsoFLOP parabolas)")  # the line above it may be of another method


def test_a_lone_count_of_n_is_called_what_the_user_says(quiet_table):
    keep = ("n_params", "n_tokens", "flops", "loss")
    rows = [{key: row[key] for key in keep} for row in quiet_table.records()]
    table = type(quiet_table).from_records(rows)
    spec = FitSpec(n_resamples=20, n_starts=8)
    assert "N = recorded" in answer_lines(analyse_runs(table, spec))[0]
    assert "N = total" in answer_lines(analyse_runs(table, spec, count="total"))[0]


def test_a_simpler_law_that_fits_two_sizes_to_the_noise_gives_no_plan():
    law = KaplanTokensLaw()
    N, D = (grid.ravel() for grid in np.meshgrid([1e6, 4e6], np.geomspace(2e7, 6.4e8, 6)))
    loss = law.predict(np.array([0.076, 0.095, 8.8e13, 5.4e13]), {"n_params": N, "n_tokens": D})
    noisy = loss * np.exp(1e-4 * np.random.default_rng(1).standard_normal(len(N)))
    names = ("n_params", "n_tokens", "flops", "loss")
    rows = [dict(zip(names, row, strict=True)) for row in zip(N, D, 6 * N * D, noisy, strict=True)]
    table = RunTable.from_records(rows)
    found = analyse_runs(table, FitSpec(n_resamples=100, n_starts=16))
    best = found.best[0]
    assert best.law.name == "kaplan-nd"
    assert best.derived["a"].half_width < 0.01  # by the form's assumptions alone
    assert found.headline is None
    assert found.plans == ()
    assert "the law is not identified: 2 sizes of N" in answer_lines(found)[4]


def test_sizes_read_off_a_figure_are_counted_once_each(quiet_table):
    rng = np.random.default_rng(0)
    sizes = quiet_table.numbers("n_params_with_head") * rng.uniform(
        0.9995, 1.0005, len(quiet_table)
    )
    read_off = quiet_table.with_column("n_params_with_head", sizes, note="")
    rows = dict(identification_rows(analyse_runs(read_off, FitSpec(n_resamples=20, n_starts=4))))
    assert rows["design"].startswith("35 runs of 7 sizes")
