"""Laws held against each other: the planted one wins, and the reasons are told."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table, table_of

from isoflop.base.errors import InputError
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.trials.compare import compare_laws, suited_laws
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.forms import JOINT_FORMS, find_form
from isoflop.laws.power import PowerConstantLaw, PowerLaw

EPOCH = SURFACES["epoch"]
SPEC = FitSpec(n_resamples=0, n_starts=12)
FORMS = [JOINT_FORMS[name] for name in ("kaplan-nd", "kaplan-nd-constant", "chinchilla")]


def noisy(seed: int = 0, surface: str = "asym"):
    theta = SURFACES[surface]
    design = isoflop_design(theta, points=9, half_width=8, budgets=np.geomspace(1e18, 1e21, 7))
    return make_table(theta, *design, noise=0.005, seed=seed)


@pytest.mark.parametrize("seed", range(3))
def test_the_planted_law_foresees_best(seed: int) -> None:
    comparison = compare_laws(noisy(seed), FORMS, SPEC)
    assert comparison.best.law == "chinchilla"
    misses = [score.rolling.rmsle for score in comparison.scores]
    assert misses == sorted(misses)
    assert comparison.best.criteria.aic_c == min(s.criteria.aic_c for s in comparison.scores)


def test_the_coupled_law_wins_where_it_was_planted() -> None:
    N, D = isoflop_design(EPOCH, points=9, half_width=8, budgets=np.geomspace(1e18, 1e21, 7))
    law = JOINT_FORMS["kaplan-nd"]
    columns = {"n_params": N, "n_tokens": D}
    loss = law.predict(np.array([0.076, 0.103, 6.4e13, 1.8e13]), columns)
    loss = loss * np.exp(0.003 * np.random.default_rng(0).standard_normal(len(N)))
    comparison = compare_laws(table_of(**columns, flops=6 * N * D, loss=loss), FORMS, SPEC)
    assert comparison.scores[0].law.startswith("kaplan-nd")
    assert comparison.scores[-1].law == "chinchilla"


def test_leave_one_scale_out_is_what_refitting_without_it_gives() -> None:
    table = noisy()
    squares = []
    flops = table.numbers("flops")
    for budget in np.unique(np.round(np.log(flops), 6)):
        hidden = np.isclose(np.log(flops), budget, atol=1e-5)
        theta = fit_parametric(table.select(~hidden), ChinchillaLaw(), SPEC).theta
        rows = table.select(hidden)
        predicted = chinchilla(theta, rows.numbers("n_params"), rows.numbers("n_tokens"))
        squares.append(np.mean(np.log(predicted / rows.numbers("loss")) ** 2))
    assert len(squares) == 7
    found = compare_laws(table, [ChinchillaLaw()], SPEC).best.scale_out
    assert found == pytest.approx(np.sqrt(np.mean(squares)), rel=0.02)


def test_laws_that_cannot_be_fitted_are_listed_with_the_reason() -> None:
    laws = [ChinchillaLaw(), JOINT_FORMS["kaplan-ns"], find_form("accuracy-sigmoid")]
    comparison = compare_laws(noisy(), laws, SPEC)
    reasons = dict(comparison.left_out)
    assert "column `steps` is needed and absent" in reasons["kaplan-ns"]
    assert "predicts accuracy, while chinchilla predicts loss" in reasons["accuracy-sigmoid"]
    with pytest.raises(InputError, match="none of these laws can be fitted"):
        compare_laws(noisy(), [JOINT_FORMS["kaplan-ns"]], SPEC)


def test_the_best_description_need_not_be_the_best_forecast_and_close_races_are_told() -> None:
    C = np.geomspace(1e17, 1e21, 24)
    rng = np.random.default_rng(1)
    loss = (1.7 + 2000 * C**-0.15) * np.exp(0.002 * rng.standard_normal(24))
    laws = [PowerLaw("flops"), PowerConstantLaw("flops"), find_form("logarithm", over="flops")]
    comparison = compare_laws(table_of(flops=C, loss=loss), laws, SPEC)
    assert [score.law for score in comparison.scores] == ["power-constant", "power", "logarithm"]
    assert comparison.findings == ()
    twins = compare_laws(
        noisy(surface="epoch"), [ChinchillaLaw(), find_form("over-training")], SPEC
    )
    assert "no-clear-winner" in [finding.code for finding in twins.findings]


def test_intervals_are_scored_of_the_laws_that_contend() -> None:
    laws = [*FORMS, find_form("over-training")]
    scores = compare_laws(noisy(surface="epoch"), laws, FitSpec(n_resamples=40, n_starts=8)).scores
    least = scores[0].rolling.rmsle
    scored = [score.law for score in scores if score.rolling.coverage is not None]
    near = [score.law for score in scores if score.rolling.rmsle <= 2 * least]
    assert scored == near[:2]
    assert {"chinchilla", "over-training"} == set(scored)
    assert len(scored) < len(scores)
    none = compare_laws(noisy(surface="epoch"), laws, SPEC).scores
    assert [score.rolling.coverage for score in none] == [None] * 4
    assert [s.rolling.rmsle for s in none] == pytest.approx(
        [s.rolling.rmsle for s in scores], rel=1e-6
    )


def test_laws_are_chosen_by_the_columns() -> None:
    names = [law.name for law in suited_laws(noisy())]
    assert names[0] == "chinchilla"
    assert "power" not in names
    single = suited_laws(table_of(n_tokens=[1e8, 1e9], loss=[3.0, 2.5]))
    assert {law.variables for law in single} == {("n_tokens",)}


def test_a_law_that_an_origin_does_not_determine_comes_last() -> None:
    C = np.geomspace(1e18, 1e20, 6)
    loss = 1.7 + 2000 * C**-0.15
    comparison = compare_laws(
        table_of(flops=C, loss=loss), [PowerConstantLaw("flops"), PowerLaw("flops")], SPEC
    )
    assert [(s.law, s.determined) for s in comparison.scores] == [
        ("power", True),
        ("power-constant", False),
    ]
