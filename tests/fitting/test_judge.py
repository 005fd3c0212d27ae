"""A fit says what is wrong with it."""

from dataclasses import replace

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table

from isoflop.base.errors import EdgeOptimumError
from isoflop.cli.main import run
from isoflop.exchange.run_tables import write_runs
from isoflop.fitting.frontiers.envelope import fit_envelope
from isoflop.fitting.frontiers.isoflop import fit_isoflop
from isoflop.fitting.judge import judge_prediction
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.trials.backtest import backtest_largest_budget, rank_forms
from isoflop.fitting.uncertainty.intervals import Interval
from isoflop.fitting.uncertainty.uncertainty import Uncertainty
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.forms import JOINT_FORMS
from isoflop.runs.table import RunTable

EPOCH = SURFACES["epoch"]
SPEC = FitSpec(n_resamples=100, n_starts=16)
TABLE = make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.003)


def two_token_counts() -> RunTable:
    """Twelve sizes at two token counts: beta cannot be told from E and B."""
    N = np.tile(np.geomspace(1e7, 1e9, 6), 2)
    D = np.repeat([1e9, 4e9], 6)
    loss = chinchilla(EPOCH, N, D) * np.exp(0.002 * np.random.default_rng(0).normal(size=12))
    rows = [
        {"n_params": n, "n_tokens": d, "flops": 6 * n * d, "loss": value}
        for n, d, value in zip(N, D, loss, strict=True)
    ]
    return RunTable.from_records(rows, source="two.csv")


def codes(fit) -> set[str]:
    return {finding.code for finding in fit.findings}


def test_a_healthy_fit_raises_none_of_the_findings():
    fit = fit_parametric(TABLE, ChinchillaLaw(), SPEC)
    assert fit.determined
    assert codes(fit) == set()


def test_undetermined_parameters_have_no_interval_and_the_command_exits_with_one(tmp_path, capsys):
    fit = fit_parametric(two_token_counts(), ChinchillaLaw(), SPEC)
    assert not fit.determined
    assert "not-identified" in codes(fit)
    assert {estimate.low for estimate in fit.params.values()} == {None}
    assert "not determined by these runs" in str(fit)
    path = write_runs(two_token_counts(), tmp_path / "two.csv")
    assert run(["fit", str(path), "--bootstrap", "50"]) == 1
    assert "not-identified" in capsys.readouterr().out


def test_undetermined_forms_never_win_a_ranking():
    ranked = rank_forms(two_token_counts(), JOINT_FORMS.values(), SPEC)
    determined = [fit.determined for fit, _ in ranked]
    assert determined == sorted(determined, reverse=True)


def test_runs_that_do_not_follow_the_law_are_said_to():
    loud = np.exp(0.2 * np.random.default_rng(1).normal(size=len(TABLE)))
    table = TABLE.with_column("loss", TABLE.numbers("loss") * loud)
    assert "law-does-not-fit" in codes(fit_parametric(table, ChinchillaLaw(), SPEC))


def test_several_corpora_and_repeated_data_are_findings():
    rows = TABLE.records()
    for i, row in enumerate(rows):
        row["dataset"] = "a" if i % 2 else "b"
        row["n_tokens_unique"] = row["n_tokens"] / 4
    fit = fit_parametric(RunTable.from_records(rows), ChinchillaLaw(), SPEC)
    assert codes(fit) == {"mixed-dataset", "repeated-data"}
    found = next(f for f in fit.findings if f.code == "repeated-data")
    assert "up to 4 times" in found.evidence


def test_too_few_clusters_are_said_to_be():
    rows = TABLE.records()
    for i, row in enumerate(rows):
        row["family"] = ""
        row["rung"] = f"group {i % 6}"
    spec = FitSpec(n_resamples=100, n_starts=16, cluster="rung")
    fit = fit_parametric(RunTable.from_records(rows), ChinchillaLaw(), spec)
    assert codes(fit) == {"few-clusters"}
    assert fit.interval.estimator == "cluster"
    assert fit.n_units == 6


def test_a_backtest_hides_more_than_one_run():
    rows = TABLE.records()
    lonely = {**rows[-1], "flops": 10 * rows[-1]["flops"], "n_tokens": 10 * rows[-1]["n_tokens"]}
    backtest = backtest_largest_budget(
        RunTable.from_records([*rows, lonely]), ChinchillaLaw(), SPEC
    )
    assert backtest.n_hidden >= 4
    assert backtest.n_hidden >= 0.1 * (len(rows) + 1)


def test_a_continuum_of_compute_is_no_isoflop_curve():
    rng = np.random.default_rng(0)
    N = np.exp(rng.uniform(np.log(1e7), np.log(1e9), 80))
    C = np.geomspace(1e17, 1e18, 80)
    rows = [
        {"n_params": n, "n_tokens": c / 6 / n, "flops": c, "loss": value}
        for n, c, value in zip(N, C, chinchilla(EPOCH, N, C / 6 / N), strict=True)
    ]
    table = RunTable.from_records([*TABLE.records(), *rows])
    frontier = fit_isoflop(table, SPEC)
    found = [f for f in frontier.findings if f.code == "not-isoflop"]
    assert len(found) == 1
    assert "FLOPs" in found[0].evidence
    assert frontier.n_runs < len(table)


def test_a_parabola_below_every_run_is_a_finding():
    surface = SURFACES["asym"]
    table = make_table(surface, *isoflop_design(surface, half_width=16.0, off=1 / 3))
    found = [f for f in fit_isoflop(table, SPEC).findings if f.code == "parabola-dips"]
    assert found
    assert "lowest measured loss" in found[0].evidence


def test_an_envelope_of_two_winners_is_refused():
    rows = []
    for n in (1e7, 3e7, 1e8, 3e8):
        for d in np.geomspace(3e8, 3e9, 4):
            loss = float(chinchilla(EPOCH, np.array([n]), np.array([d]))[0])
            rows.append({"n_params": n, "n_tokens": d, "flops": 6 * n * d, "loss": loss})
    with pytest.raises(EdgeOptimumError, match=r"(winners|win) inside the grid"):
        fit_envelope(RunTable.from_records(rows), SPEC)


@pytest.mark.parametrize(("n_resamples", "few"), [(0, False), (5, True), (99, True), (100, False)])
def test_intervals_from_a_handful_of_draws_say_so(n_resamples, few):
    spec = FitSpec(n_resamples=n_resamples, n_starts=4)
    assert ("few-resamples" in codes(fit_parametric(TABLE, ChinchillaLaw(), spec))) == few


def spread_of(draws) -> Uncertainty:
    return Uncertainty(draws, np.eye(5), Interval(), 45)


def test_a_prediction_whose_draws_span_decades_is_not_shown_as_an_interval():
    fit = fit_parametric(TABLE, ChinchillaLaw(), SPEC)
    at = {name: TABLE.numbers(name) for name in fit.law.variables}
    assert judge_prediction(fit.law, at, spread_of(fit.draws)) == []
    wild = fit.draws * np.geomspace(1e-6, 1e6, len(fit.draws))[:, None] ** [1, 1, 1, 0, 0]
    (finding,) = judge_prediction(fit.law, at, spread_of(wild))
    assert finding.code == "prediction-not-determined"
    assert "anywhere from" in finding.evidence
    card = str(replace(fit, draws=wild, findings=(finding,)))
    (line,) = [row for row in card.splitlines() if row.startswith("loss at the largest")]
    assert line.endswith(": not determined by these runs")
