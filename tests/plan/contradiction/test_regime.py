"""Efficiency, epochs, regimes and mixes: published numbers, closed forms, and what must hold."""

import math

import numpy as np
import pytest
from planted import SURFACES, isoflop_design, make_table, optimum

from isoflop.base import strict_json
from isoflop.base.errors import InputError
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.plan.contradiction.extractor import (
    IGNORANT,
    R_D_STAR,
    effective_epochs,
    extractor_efficiency,
)
from isoflop.plan.contradiction.margins import REGIMES
from isoflop.plan.contradiction.mixture import GPT_3, GPT_3_TOKENS, MixSource, read_mix, use_mix
from isoflop.plan.contradiction.regime import find_regime

BESIROGLU = (1.8172, 482.01, 2085.43, 0.3478, 0.3658)
REPEATED = "muennighoff-2023-repeated"


def chinchilla(N, D):
    E, A, B, alpha, beta = BESIROGLU
    return E + A / N**alpha + B / D**beta


def test_gpt_3_reads_238_billion_distinct_tokens_1_26_times() -> None:
    used = use_mix(GPT_3, GPT_3_TOKENS)
    assert f"{used.n_tokens_unique / 1e9:.0f}" == "238"
    assert f"{used.effective_epochs:.2f}" == "1.26"


def test_gpt_3s_epochs_are_those_its_table_prints() -> None:
    # Brown et al. 2020, Table 2.2, "epochs elapsed when training for 300B tokens"
    printed = {"filtered Common Crawl": 0.44, "WebText2": 2.9, "Books1": 1.9, "Books2": 0.43,
               "Wikipedia": 3.4}  # fmt: skip
    for source in use_mix(GPT_3, GPT_3_TOKENS).sources:
        # shares are printed to a whole per cent: .03 may be .034
        assert source.epochs == pytest.approx(printed[source.name], rel=0.2)


def test_a_mix_is_read_from_a_csv_and_bad_ones_are_named(tmp_path) -> None:
    path = tmp_path / "mix.csv"
    path.write_text("source,n_tokens,weight\nweb,1e12,0.9\nbooks,1e9,0.1\n", encoding="utf-8")
    used = use_mix(read_mix(path), 1e11)
    assert used.n_tokens_unique == pytest.approx(0.9e11 + 1e9)
    assert [source.epochs for source in used.sources] == pytest.approx([0.09, 10.0])
    for text, message in (
        ("source,n_tokens\nweb,1e12\n", "no weight here"),
        ("", "no source here"),
        ("source,n_tokens,weight\nweb,many,1\n", "row 1: n_tokens and weight must be numbers"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            read_mix(path)
    with pytest.raises(InputError, match="no such mix"):
        read_mix(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("mix", "message"),
    [
        ([MixSource("a", 1e9, 0.5)], "add to one, these to 0.5"),
        ([MixSource("a", -1.0, 1.0)], "source a: expected positive tokens"),
        ([MixSource("a", 1e9, 1.5)], "weight in"),
        ([], "these to 0"),
    ],
)
def test_a_mix_that_makes_no_sense_is_refused(mix, message: str) -> None:
    with pytest.raises(InputError, match=message):
        use_mix(mix, 1e9)


def test_efficiency_is_nothing_for_the_ignorant_and_one_for_a_model_without_limit() -> None:
    assert extractor_efficiency(IGNORANT, 2.0) == 0
    assert extractor_efficiency(2.0, 2.0) == 1
    assert math.exp(IGNORANT) == pytest.approx(50257)
    with pytest.raises(InputError, match="knowing nothing must cost more"):
        extractor_efficiency(3.0, 2.0, ignorant=1.5)


def test_efficiency_of_a_plan_in_closed_form_and_growing_with_size() -> None:
    E, _, B, _, beta = BESIROGLU
    L_0, floor = math.log(50257), E + B / 1.4e12**beta
    efficiencies = []
    for N in (7e8, 7e10, 7e12):
        plan = find_regime("besiroglu-2024", N, 1.4e12)
        expected = (L_0 - chinchilla(N, 1.4e12)) / (L_0 - floor)
        assert plan.efficiency.value == pytest.approx(expected, rel=1e-9)
        assert plan.floor.value == pytest.approx(floor, rel=1e-12)
        efficiencies.append(plan.efficiency.value)
    assert 0 < efficiencies[0] < efficiencies[1] < efficiencies[2] < 1


def test_against_another_data_law_efficiency_may_exceed_one() -> None:
    # L(D) of Table 5 at 3e11 tokens is (5.4e13/3e11)^.095 = 1.638; a loss below contradicts it.
    plan = find_regime("kaplan-2020-nd", 1e13, 3e11, data_law="kaplan-2020-l-d")
    assert plan.floor.value == pytest.approx((5.4e13 / 3e11) ** 0.095, rel=1e-9)
    assert plan.loss.value < plan.floor.value
    assert plan.efficiency.value > 1
    assert any("L(D) is kaplan-2020-l-d" in note for note in plan.notes)


def test_effective_epochs() -> None:
    assert effective_epochs(300e9, 238e9) == pytest.approx(300 / 238)
    assert effective_epochs(1e9, 2e9) == 1
    with pytest.raises(InputError, match="distinct tokens must be positive"):
        effective_epochs(1e9, 0)


def test_margins_are_the_derivatives_of_the_law() -> None:
    _, A, B, alpha, beta = BESIROGLU
    margins = find_regime("besiroglu-2024", 7e9, 1e12).margins
    assert margins["parameters"].value == pytest.approx(alpha * A / 7e9**alpha, rel=1e-6)
    assert margins["data"].value == pytest.approx(beta * B / 1e12**beta, rel=1e-6)


@pytest.mark.parametrize("flops", [1e20, 1e23, 1e26])
def test_smaller_than_compute_optimal_is_model_limited_and_larger_data_limited(flops) -> None:
    N = optimum(BESIROGLU, flops)
    for factor, expected in ((0.8, "model-limited"), (1.25, "unique-data-limited")):
        plan = find_regime("besiroglu-2024", N * factor, flops / (6 * N * factor))
        assert plan.regime == expected
    at = find_regime("besiroglu-2024", N, flops / (6 * N))
    assert at.margins["parameters"].value == pytest.approx(at.margins["data"].value, rel=1e-6)
    assert at.regime == "balanced"
    for factor in (0.98, 1.02):  # within a tenth, not within a hundredth
        near = find_regime("besiroglu-2024", N * factor, flops / (6 * N * factor))
        assert near.regime != "balanced"
        assert any("nearly in balance" in note for note in near.notes)


def test_repeats_are_worn_out_where_an_epoch_is_worth_half_of_fresh_tokens() -> None:
    # dD'/D' per dE/E: e·exp(-(e-1)/R*)/(1 + R*(1 - exp(-(e-1)/R*))) = 1/2
    def worth(e):
        fade = math.exp(-(e - 1) / R_D_STAR)
        return e * fade / (1 + R_D_STAR * (1 - fade))

    epochs = np.linspace(1.01, 60, 200_000)
    border = epochs[np.argmin([abs(worth(e) - 0.5) for e in epochs[::50]]) * 50]
    assert 15 < border < 25
    for factor, expected in ((0.95, "unique-data-limited"), (1.05, "repeat-limited")):
        plan = find_regime("besiroglu-2024", 1e12, factor * border * 1e10, n_tokens_unique=1e10)
        assert plan.regime == expected


def test_a_law_of_repeats_counts_what_fresh_tokens_do_for_idle_parameters_too() -> None:
    # N is far beyond what 1e10 tokens can use: fresh ones wake parameters, further epochs do not.
    for law, expected in (
        ("besiroglu-2024", "unique-data-limited"),
        (REPEATED, "repeat-limited"),
    ):
        assert find_regime(law, 1e11, 1e11, n_tokens_unique=1e10).regime == expected


def test_four_epochs_on_a_law_without_repeats_are_worth_3_73() -> None:
    plan = find_regime("besiroglu-2024", 1e9, 4e10, n_tokens_unique=1e10)
    assert plan.effective_epochs == 4
    assert plan.loss.value == pytest.approx(chinchilla(1e9, 3.73e10), rel=1e-4)
    assert any("does not know of repeats" in note for note in plan.notes)


def test_more_tokens_at_hand_than_are_read_are_one_epoch() -> None:
    at_hand = find_regime("besiroglu-2024", 1e9, 1e10, n_tokens_unique=1e12)
    read = find_regime("besiroglu-2024", 1e9, 1e10)
    assert at_hand.notes == (
        "1.00e12 distinct tokens are at hand, and the plan reads 1.00e10 of them",
    )
    assert {**at_hand.to_dict(), "notes": []} == read.to_dict()


def test_the_first_epoch_of_gpt_3_is_nearer_than_ten_per_cent_under_kaplans_law() -> None:
    plan = find_regime("kaplan-2020-nd", 1.75e11, 3e11, n_tokens_unique=2.38e11)
    r = 0.076 / 0.103
    one_epoch = ((6.4e13 / 1.75e11) ** r + 1.8e13 / 2.38e11) ** 0.103
    converged = (1.8e13 / 2.38e11) ** 0.103
    assert plan.first_epoch_ratio.value == pytest.approx(one_epoch / converged, rel=1e-9)
    assert f"{plan.first_epoch_ratio.value:.2f}" == "1.08"
    assert not plan.first_epoch_credible
    assert find_regime("kaplan-2020-nd", 1e9, 3e11).first_epoch_credible


def test_the_ratio_of_the_first_epoch_is_taken_above_the_irreducible_loss() -> None:
    _, A, B, alpha, beta = BESIROGLU
    plan = find_regime("besiroglu-2024", 7e10, 1.4e12)
    worth = B / (1.4e12 * (1 + R_D_STAR)) ** beta  # read until nothing is gained
    expected = (A / 7e10**alpha + B / 1.4e12**beta) / worth
    assert plan.first_epoch_ratio.value == pytest.approx(expected, rel=1e-9)


@pytest.fixture(scope="module")
def fit():
    theta = SURFACES["epoch"]
    table = make_table(theta, *isoflop_design(theta, points=9), noise=0.005)
    return fit_parametric(table, ChinchillaLaw(), FitSpec(n_resamples=60, n_starts=8))


def test_a_fit_gives_intervals_and_the_share_of_draws_in_each_regime(fit) -> None:
    plan = find_regime(fit, 1e9, 2e12)
    E, A, B, alpha, beta = SURFACES["epoch"]
    truth = E + A / 1e9**alpha + B / 2e12**beta
    assert plan.loss.low < truth < plan.loss.high
    assert plan.efficiency.low < plan.efficiency.value < plan.efficiency.high <= 1
    assert plan.shares == dict.fromkeys(REGIMES, 0.0) | {"model-limited": 1.0}
    assert any("x outside the runs fitted" in note for note in plan.notes)
    N = optimum(SURFACES["epoch"], 1e22)
    border = find_regime(fit, N, 1e22 / (6 * N))
    assert 0.02 < border.shares["model-limited"] < 0.98
    assert sum(border.shares.values()) == pytest.approx(1)


def test_the_document_is_whole(fit) -> None:
    document = strict_json.loads(strict_json.dumps(find_regime(fit, 1e9, 1e12).to_dict()))
    assert document["regime"] in REGIMES
    assert set(document["margins"]) == {"parameters", "data", "epochs"}
    assert document["efficiency"]["low"] is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("besiroglu-2024", -1.0, 1e9), "n_params must be positive"),
        (("besiroglu-2024", 1e9, float("nan")), "tokens must be positive"),
        (("kaplan-2020-ns", 1e9, 1e9), "needs a law of n_params and n_tokens; kaplan-ns reads"),
        (("besiroglu-2025", 1e9, 1e9), "did you mean besiroglu-2024"),
    ],
)
def test_bad_plans_are_one_clear_error(arguments, message: str) -> None:
    with pytest.raises(InputError, match=message):
        find_regime(*arguments)
