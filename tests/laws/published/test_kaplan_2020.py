"""Kaplan et al. 2020: as printed, as derived in appendix B, and at GPT-3."""

import pytest

from isoflop.base.units import PF_DAY, from_pf_days, to_pf_days
from isoflop.laws.catalog import (
    find_published,
    predict_published,
)
from isoflop.laws.published.kaplan_2020_theory import derive_frontier


def value(name: str, **inputs: float) -> float:
    return predict_published(find_published(name), inputs).value


def three(number: float, digits: int = 3) -> float:
    return float(f"{number:.{digits - 1}e}")


@pytest.mark.parametrize(
    ("name", "variable", "scale", "exponent"),
    [
        ("kaplan-2020-l-n", "n_params", 8.8e13, 0.076),
        ("kaplan-2020-l-d", "n_tokens", 5.4e13, 0.095),
        ("kaplan-2020-l-d-table-2", "n_tokens", 1.8e13, 0.103),
        ("kaplan-2020-l-c", "flops", 1.6e7 * PF_DAY, 0.057),
        ("kaplan-2020-l-cmin", "flops", 3.1e8 * PF_DAY, 0.050),
        ("kaplan-2020-l-cmin-figure-1", "flops", 2.3e8 * PF_DAY, 0.050),
    ],
)
def test_kaplan_single_laws_are_one_nat_at_their_scale(
    name: str, variable: str, scale: float, exponent: float
) -> None:
    assert value(name, **{variable: scale}) == pytest.approx(1.0, rel=1e-13)
    assert value(name, **{variable: scale / 100}) == pytest.approx(100**exponent, rel=1e-13)


def test_kaplan_joint_laws_keep_their_own_constants() -> None:
    assert find_published("kaplan-2020-nd").theta.tolist() == [0.076, 0.103, 6.4e13, 1.8e13]
    assert find_published("kaplan-2020-ns").theta.tolist() == [0.077, 0.76, 6.5e13, 2.1e3]


@pytest.mark.parametrize(
    ("name", "at_one_pf_day", "exponent"),
    [
        ("kaplan-2020-n-opt", 1.3e9, 0.73),
        ("kaplan-2020-b-crit", 2.0e6, 0.24),
        ("kaplan-2020-s-min", 5.4e3, 0.03),
        ("kaplan-2020-d-opt", 2e10, 0.27),
        ("kaplan-2020-d-opt-at-b-crit", 4e10, 0.26),
    ],
)
def test_kaplan_rules_are_as_printed_in_pf_days(
    name: str, at_one_pf_day: float, exponent: float
) -> None:
    assert value(name, flops=PF_DAY) == pytest.approx(at_one_pf_day, rel=1e-12)
    expected = at_one_pf_day * 1e4**exponent
    assert value(name, flops=1e4 * PF_DAY) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("loss", "expected"), [(3.0, 1.12e6), (2.5, 2.67e6), (2.0, 7.7e6)])
def test_kaplan_critical_batch(loss: float, expected: float) -> None:
    digits = 2 if expected == 7.7e6 else 3
    assert expected == three(value("kaplan-2020-b-crit-l", loss=loss), digits)


def test_kaplan_critical_batch_doubles_over_13_percent_of_loss() -> None:
    ratio = 1 - 2**-0.21
    assert round(ratio, 3) == 0.135
    batches = [value("kaplan-2020-b-crit-l", loss=loss) for loss in (3.0, 3.0 * (1 - ratio))]
    assert batches[1] / batches[0] == pytest.approx(2.0, rel=1e-12)


def test_kaplan_overfitting_rule_is_near_what_table_2_implies() -> None:
    # A penalty of .02 in [1 + (N/N_c)^p·D_c/D]^alpha_D - 1 gives 5.52e3·N^.738.
    alpha_N, alpha_D, N_c, D_c = find_published("kaplan-2020-nd").theta
    prefactor = D_c / (1.02 ** (1 / alpha_D) - 1) * N_c ** (-alpha_N / alpha_D)
    assert three(prefactor) == 5.52e3
    assert round(alpha_N / alpha_D, 3) == 0.738
    assert three(prefactor * 1e9**0.738, 2) == 2.4e10
    assert value("kaplan-2020-d-overfit", n_params=1e9) == pytest.approx(2.4e10, rel=0.06)


def test_kaplan_theory_from_table_3() -> None:
    frontier = derive_frontier(0.077, 0.76, 6.5e13, 2.1e3)
    assert three(to_pf_days(frontier.loss_scale)) == 1.61e8
    assert round(frontier.loss_exponent, 4) == 0.0525
    assert round(frontier.params_exponent, 2) == 0.68
    assert round(frontier.steps_exponent, 2) == 0.07
    assert round(1 - frontier.params_exponent, 2) == 0.32


def test_kaplan_theory_from_table_5() -> None:
    frontier = derive_frontier(0.076, 0.76, 8.8e13, 2.1e3)
    assert three(to_pf_days(frontier.loss_scale)) == 2.22e8


def test_kaplan_theory_at_one_pf_day() -> None:
    assert three(value("kaplan-2020-theory-n-opt", flops=PF_DAY), 2) == 5.8e8
    assert three(value("kaplan-2020-theory-s-min", flops=PF_DAY), 2) == 1.3e4
    assert round(value("kaplan-2020-theory-l-cmin", flops=PF_DAY), 2) == 2.69


def test_kaplan_theory_stops_ten_percent_above_converged_loss() -> None:
    entry = find_published("kaplan-2020-theory-n-opt")
    n_params = predict_published(entry, {"flops": 1e21}).value
    converged = (entry.printed["N_c"] / n_params) ** entry.printed["alpha_N"]
    stop = value("kaplan-2020-theory-l-cmin", flops=1e21) / converged
    assert round(stop - 1, 4) == 0.1013


def test_kaplan_theory_is_the_minimum_over_sizes() -> None:
    # L = (N_c/N)^alpha_N + (S_c/S)^alpha_S, C_min = 6·N·S·B_star/L^(1/alpha_B).
    law = find_published("kaplan-2020-ns")
    best_N = value("kaplan-2020-theory-n-opt", flops=1e21)
    best_S = value("kaplan-2020-theory-s-min", flops=1e21)
    best_L = value("kaplan-2020-theory-l-cmin", flops=1e21)
    at_best = {"n_params": best_N, "steps": best_S}
    assert predict_published(law, at_best).value == pytest.approx(best_L, rel=1e-12)
    spent = 6 * best_N * best_S * value("kaplan-2020-b-crit-l", loss=best_L)
    assert spent == pytest.approx(1e21, rel=1e-12)
    for factor in (0.9, 1.1):
        N, L = best_N * factor, best_L
        for _ in range(200):  # fixed point: S depends on L through the critical batch
            S = 1e21 / (6 * N * value("kaplan-2020-b-crit-l", loss=L))
            L = 0.7 * L + 0.3 * predict_published(law, {"n_params": N, "steps": S}).value
        assert best_L < L


def test_gpt_3_trend_is_henighans_for_language() -> None:
    assert three(2.57 ** (1 / 0.048)) == 3.47e8
    assert value("brown-2020-l-c", flops=PF_DAY) == pytest.approx(2.57, rel=1e-13)
    henighan = value("henighan-2020-language-l-c", flops=PF_DAY)
    assert round(henighan, 2) == 2.57


def test_gpt_3_itself() -> None:
    flops = from_pf_days(3.64e3)
    assert three(flops) == 3.14e23
    assert round(value("brown-2020-l-c", flops=flops), 2) == 1.73
    assert round(value("kaplan-2020-l-cmin", flops=flops), 2) == 1.76
