"""The card says what was fitted, how sure it is, where it fails and how far it reaches."""

from dataclasses import replace

import numpy as np
import pytest
from planted import SURFACES, isoflop_design, make_table

from isoflop.fitting.card import fit_card, fit_card_html, residual_strip
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.foresight import foresee
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.fixed import fix_constants
from isoflop.laws.over_training import OverTrainingLaw

EPOCH = SURFACES["epoch"]
TABLE = make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.005)


@pytest.fixture(scope="module")
def fit() -> Fit:
    return fit_parametric(TABLE, ChinchillaLaw(), FitSpec(n_resamples=200, n_starts=8))


def line_of(card: str, start: str) -> str:
    return next(line for line in card.splitlines() if line.strip().startswith(start))


def test_numbers_have_the_digits_their_uncertainty_supports(fit: Fit) -> None:
    _, value, low, high = line_of(str(fit), "alpha").split()
    half = (float(high.strip("]")) - float(low.strip("[,"))) / 2
    last_digit = 10.0 ** -len(value.split(".")[1])
    assert last_digit < half < 100 * last_digit
    assert float(value) == pytest.approx(fit.theta[3], abs=last_digit)


def test_what_cannot_be_told_apart_is_named(fit: Fit) -> None:
    named = line_of(str(fit), "correlated:")
    spread = np.log(fit.draws[:, [1, 3]])
    expected = np.corrcoef(spread.T)[0, 1]
    found = float(named.split("A·alpha ")[1].split(",")[0])
    assert found == pytest.approx(expected, abs=0.002)
    assert found > 0.99
    assert "alpha·beta" not in named


def test_residuals_are_shown_by_decade_of_compute(fit: Fit) -> None:
    decades = np.floor(np.log10(TABLE.numbers("flops")) + 1e-9)
    assert [scale.n_runs for scale in fit.scales] == [
        int((decades == d).sum()) for d in np.unique(decades)
    ]
    first = fit.residuals[decades == decades.min()]
    assert fit.scales[0].mean == pytest.approx(first.mean())
    assert f"9 runs  mean {100 * first.mean():.2g} %" in str(fit)


def test_the_interval_of_the_law_widens_with_the_reach(fit: Fit) -> None:
    assert "loss at the largest n_params, n_tokens (90 % intervals)" in str(fit)
    reach = line_of(str(fit), "mean of runs, the constants' error only:")
    ends = [part.split("[")[1].split("]")[0].split(", ") for part in reach.split("×:")[1:]]
    widths = [float(high) - float(low) for low, high in ends]
    assert widths == sorted(widths)
    assert "100×" in reach
    single = line_of(str(fit), "a single run, noise in, misfit not asked for:")
    ends = [part.split("[")[1].split("]")[0].split(", ") for part in single.split("×:")[1:]]
    for width, (low, high) in zip(widths, ends, strict=True):
        assert float(high) - float(low) > width


def test_a_notebook_shows_the_card_and_runs_nothing_that_came_from_a_file(fit: Fit) -> None:
    hostile = replace(fit, data=replace(fit.data, source="<script>alert(1)</script>&.csv"))
    shown = hostile._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;.csv" in shown
    assert fit_card_html(fit).startswith("<pre>chinchilla")


def test_a_fit_without_draws_says_that_it_has_no_intervals() -> None:
    spec = FitSpec(n_resamples=0, n_starts=8)
    card = fit_card(fit_parametric(TABLE, ChinchillaLaw(), spec))
    assert "intervals: none asked for" in card
    assert "loss at the largest" not in card


def test_a_strip_of_many_residuals_is_their_means() -> None:
    assert len(residual_strip(np.linspace(-1, 1, 1000))) == 60


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (np.inf, "the next far higher"),
        (1e9, "the next far higher"),
        (0.021, "the next 2.1 % higher"),
    ],
)
def test_the_rise_to_the_next_minimum_is_a_number_only_where_it_is_one(
    fit: Fit, gap: float, words: str
) -> None:
    card = fit_card(replace(fit, basins=replace(fit.basins, gap=gap)))
    assert line_of(card, "starts").endswith(words)


def test_a_single_run_is_shown_with_the_suspected_misfit_and_the_mean_without(fit: Fit) -> None:
    asked = foresee(fit, TABLE)
    assert asked.misfit is not None
    suspected = replace(asked, misfit=replace(asked.misfit, rolling=0.0))
    words = "a single run, noise and suspected misfit in:"
    quiet = line_of(str(asked), "a single run, noise in, misfit not suspected:")
    assert line_of(str(suspected), words).split("100×:")[1] != quiet.split("100×:")[1]
    mean = "mean of runs, the constants' error only:"
    assert line_of(str(suspected), mean) == line_of(str(asked), mean)


def test_constants_held_are_no_estimates_and_what_follows_says_so() -> None:
    law = fix_constants(ChinchillaLaw(), {"E": 1.8172, "alpha": 0.35, "beta": 0.36})
    fit = fit_parametric(TABLE, law, FitSpec(n_resamples=60, n_starts=8))
    card = fit_card(fit)
    assert line_of(card, "E ").split() == ["E", "1.8172", "held"]
    assert card.count("1.8172  held") == 1
    assert line_of(card, "a ").endswith("0.507  by the constants held")
    assert "[" in line_of(card, "G ")
    assert fit.derived["a"].value == pytest.approx(0.36 / 0.71)
    assert (fit.derived["a"].low, fit.derived["E"].low) == (None, None)
    assert fit.to_dict()["held"] == {"E": 1.8172, "alpha": 0.35, "beta": 0.36}


def test_an_exponent_that_the_form_sets_is_no_estimate() -> None:
    fit = fit_parametric(TABLE, OverTrainingLaw(), FitSpec(n_resamples=60, n_starts=8))
    assert line_of(fit_card(fit), "a ").split() == ["a", "0.500", "by", "form"]
    assert "[" in line_of(fit_card(fit), "M_opt")
    assert fit.given == {"a": "by form", "b": "by form"}


def test_a_free_fit_holds_nothing(fit: Fit) -> None:
    assert fit.held == {}
    assert fit.given == {}
    assert "held" not in fit_card(fit)
    assert "by form" not in fit_card(fit)


def test_one_is_singular_and_large_shares_have_no_power_of_ten(fit: Fit) -> None:
    first = replace(fit.scales[0], n_runs=1, rms=1.04)
    card = str(replace(fit, scales=(first, *fit.scales[1:])))
    assert "  1 run  mean" in card
    assert "rms 104 %" in card
    assert fit.basins.n_basins == 1
    assert "the best of 1 minimum" in card
