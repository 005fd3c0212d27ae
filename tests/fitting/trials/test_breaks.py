"""The break detector: how often it cries wolf, what it sees, and what it says it can see."""

from dataclasses import replace

import numpy as np
import pytest
from planted import SURFACES, chinchilla, grid_design, isoflop_design, make_table, table_of

from benchmarks.break_power import (
    NOISE,
    alarm_rate,
    bent,
    clustered,
    iid,
    lifted,
    no_break,
    outliers,
    power_at_detectable,
    student,
)
from isoflop.base.errors import InputError, UnderdeterminedError
from isoflop.base.estimate import Estimate
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.trials.breaks import find_break
from isoflop.fitting.trials.excess import detectable_excess
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.power import PowerConstantLaw, PowerLaw
from isoflop.runs.table import RunTable

EPOCH = SURFACES["epoch"]
BUDGETS = np.geomspace(1e18, 1e21, 7)
STARTS_AT = np.sqrt(BUDGETS[4] * BUDGETS[5])
SPEC = FitSpec(n_starts=16)


def planted(*, seed: int = 0, noise: float = NOISE, lift: float = 0.0, shift: float = 0.0):
    """Seven budgets; the two largest lifted by a share, or bent by `shift` nats a decade²."""
    N, D = isoflop_design(EPOCH, points=9, budgets=BUDGETS)
    C = 6 * N * D
    loss = chinchilla(EPOCH, N, D) * np.where(C > STARTS_AT, 1 + lift, 1.0)
    loss = loss + np.where(C > STARTS_AT, shift * np.log10(C / STARTS_AT) ** 2, 0.0)
    loss = loss * np.exp(noise * np.random.default_rng(seed).standard_normal(len(loss)))
    return table_of(n_params=N, n_tokens=D, flops=C, loss=loss)


@pytest.mark.parametrize("noise", [iid, student, outliers, clustered])
def test_no_break_raises_an_alarm_once_in_twenty(noise) -> None:
    # 120 studies: a true rate of .055 gives more than .125 once in a thousand.
    assert alarm_rate("grid", noise, no_break, studies=120, seed=5) <= 0.125


@pytest.mark.parametrize(
    ("broken", "expected"),
    # Trust sheet B3, 1000 studies.
    [(lifted(0.005), 0.43), (lifted(0.01), 0.91), (bent(0.02), 0.16), (bent(0.1), 0.95)],
)
def test_the_power_is_the_references(broken, expected: float) -> None:
    rate = alarm_rate("grid", iid, broken, studies=120, seed=6)
    assert rate == pytest.approx(
        expected, abs=3.2 * np.sqrt(expected * (1 - expected) / 120) + 0.02
    )


@pytest.mark.study
def test_the_whole_table_in_a_thousand_studies() -> None:
    for noise in (iid, student, outliers, clustered):
        assert alarm_rate("grid", noise, no_break, studies=1000, seed=1) <= 0.07
    for broken, expected in (
        (lifted(0.003), 0.22),
        (lifted(0.005), 0.43),
        (lifted(0.01), 0.91),
        (bent(0.02), 0.16),
        (bent(0.1), 0.95),
    ):
        rate = alarm_rate("grid", iid, broken, studies=1000, seed=2)
        assert rate == pytest.approx(expected, abs=0.05)


def test_what_is_said_to_be_seen_four_times_in_five_is() -> None:
    size, power = power_at_detectable(studies=150)
    assert size == pytest.approx(0.0084, abs=0.0005)
    assert power == pytest.approx(0.8, abs=0.1)


def test_a_break_is_a_finding_and_so_is_none() -> None:
    seen = find_break(planted(lift=0.03), ChinchillaLaw(), SPEC)
    assert seen.seen
    assert [f.code for f in seen.findings] == ["break-seen"]
    assert seen.excess.low < 0.03 < seen.excess.high
    none = find_break(planted(), ChinchillaLaw(), SPEC)
    assert not none.seen
    (finding,) = none.findings
    assert finding.code == "no-break-seen"
    assert f"{100 * none.detectable:.2g} %" in finding.evidence
    assert "beyond the runs" in finding.consequence


def test_two_of_seven_budgets_are_hidden() -> None:
    test = find_break(planted(), ChinchillaLaw(), SPEC)
    assert (test.n_fitted, test.n_hidden, test.freedom) == (45, 18, 40)
    assert test.starts_at == pytest.approx(STARTS_AT, rel=1e-6)
    assert test.largest == pytest.approx(1e21)


def test_losses_just_below_the_law_are_not_called_its_fault() -> None:
    # 1.8 standard errors are 7 % two-sided, beyond the 5 % that a finding is asserted at.
    test = find_break(planted(), ChinchillaLaw(), SPEC)
    for errors, codes in (
        (-1.8, ["no-break-seen"]),
        (-2.1, ["no-break-seen", "law-too-pessimistic"]),
        (1.8, ["break-seen"]),
    ):
        share = float(np.expm1(errors * test.stderr))
        moved = replace(test, excess=Estimate(share, share, share))
        assert [f.code for f in moved.findings] == codes
        assert moved.pessimistic == (errors == -2.1)
    assert moved.two_sided == pytest.approx(2 * moved.p_value)


def test_a_smooth_break_is_not_set_aside_as_outliers() -> None:
    # In 300 studies a biweight mean of the hidden runs saw .81 of these, Huber's .96.
    rates = {
        loss: alarm_rate("grid", iid, bent(0.1), studies=60, seed=6, objective=Objective(loss))
        for loss in ("robust", "squared")
    }
    assert rates["robust"] >= rates["squared"] - 0.07


def test_the_loss_of_the_fit_is_robust_unless_another_is_asked_for() -> None:
    default = find_break(planted(), ChinchillaLaw(), SPEC)
    other = find_break(planted(), ChinchillaLaw(), FitSpec(Objective("squared"), n_starts=16))
    assert (default.objective.kind, other.objective.kind) == ("robust", "squared")
    assert default.excess != other.excess
    assert default.to_dict()["loss"]["kind"] == "robust"  # type: ignore[index]


def test_the_worth_of_a_break_has_the_unit_of_the_table() -> None:
    table = planted()
    names = ("n_params", "n_tokens", "flops", "loss")
    rows = [
        {name: float(table.numbers(name)[k]) for name in names} | {"loss_unit": "bits/byte"}
        for k in range(len(table))
    ]
    test = find_break(RunTable.from_records(rows), ChinchillaLaw(), SPEC)
    assert f"{test.detectable_far:.2g} bits/byte at 1.00e23 flops" in str(test)
    assert test.to_dict()["detectable_far"]["loss_unit"] == "bits/byte"  # type: ignore[index]


def test_losses_below_the_law_are_no_break() -> None:
    test = find_break(planted(lift=-0.03), ChinchillaLaw(), SPEC)
    assert test.excess.high < 0
    assert test.p_value > 0.99
    assert not test.seen
    assert [f.code for f in test.findings] == ["no-break-seen", "law-too-pessimistic"]


def test_a_break_beyond_the_runs_is_not_seen_by_anything() -> None:
    # Trust sheet B3: a break that starts at ten times the largest compute leaves no trace.
    C = 6 * np.prod(isoflop_design(EPOCH, points=9, budgets=BUDGETS), axis=0)
    assert not (C > 1e22).any()
    alarms = sum(
        find_break(planted(seed=seed), ChinchillaLaw(), FitSpec(n_starts=6)).seen
        for seed in range(12)
    )
    assert alarms <= 4


def test_the_worth_of_a_smooth_break_far_out_is_its_own_formula() -> None:
    # k·log10(C/C0)² lifts the hidden losses by a mean share and is worth k·log10(1e23/C0)².
    test = find_break(planted(noise=1e-4, shift=0.1), ChinchillaLaw(), SPEC)
    far = test.worth * test.excess.value
    assert far == pytest.approx(0.1 * np.log10(1e23 / STARTS_AT) ** 2, rel=0.02)


def test_the_detectable_break_of_a_design_is_the_one_its_study_reports() -> None:
    N, D = isoflop_design(EPOCH, points=9, budgets=BUDGETS)
    small = 6 * N * D < 2e20
    runs = [{"n_params": N[rows], "n_tokens": D[rows]} for rows in (small, ~small)]
    before = detectable_excess(ChinchillaLaw(), np.array(EPOCH), *runs, noise=NOISE)
    after = [
        find_break(planted(seed=seed), ChinchillaLaw(), FitSpec(n_starts=6)).detectable
        for seed in range(8)
    ]
    assert np.mean(after) == pytest.approx(before, rel=0.15)


def test_more_runs_see_smaller_breaks() -> None:
    few = find_break(make_table(EPOCH, *isoflop_design(EPOCH, points=5), noise=0.005),
                     ChinchillaLaw(), SPEC)  # fmt: skip
    many = find_break(make_table(EPOCH, *isoflop_design(EPOCH, points=40), noise=0.005),
                      ChinchillaLaw(), SPEC)  # fmt: skip
    assert many.detectable < 0.6 * few.detectable


def test_a_law_of_one_variable_is_tested_on_its_own_scale() -> None:
    D = np.geomspace(1e8, 1e11, 24)
    loss = 1.7 + 400 * D**-0.3
    bent_loss = loss * np.where(D > 2e10, 1.02, 1.0)
    good = find_break(table_of(n_tokens=D, loss=loss), PowerConstantLaw("n_tokens"), SPEC)
    bad = find_break(table_of(n_tokens=D, loss=bent_loss), PowerConstantLaw("n_tokens"), SPEC)
    assert (good.column, good.seen, bad.seen) == ("n_tokens", False, True)


def test_a_wrong_law_is_seen_too() -> None:
    C = np.geomspace(1e17, 1e21, 30)
    rng = np.random.default_rng(0)
    loss = (1.7 + 2000 * C**-0.15) * np.exp(0.003 * rng.standard_normal(30))
    assert find_break(table_of(flops=C, loss=loss), PowerLaw("flops"), SPEC).seen


def test_two_scales_are_too_few() -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, budgets=np.array([1e19, 1e20])))
    with pytest.raises(InputError, match="runs of 2 scales"):
        find_break(table, ChinchillaLaw(), SPEC)


def test_a_table_without_compute_takes_six_n_d() -> None:
    N, D = grid_design()
    table = table_of(n_params=N, n_tokens=D, loss=chinchilla(EPOCH, N, D))
    assert find_break(table, ChinchillaLaw(), SPEC).column == "flops"


def test_one_size_is_refused_in_the_words_of_a_fit_and_not_by_a_count_after_hiding() -> None:
    D = np.geomspace(1e8, 1e11, 8)
    runs = table_of(n_params=np.full(8, 1e8), n_tokens=D, loss=chinchilla(EPOCH, 1e8, D))
    with pytest.raises(UnderdeterminedError, match=r"^`n_params` takes one value only"):
        find_break(runs, ChinchillaLaw(), SPEC)


def test_a_count_after_hiding_says_that_runs_were_hidden() -> None:
    N, D = np.geomspace(1e7, 1e9, 7), np.geomspace(1e9, 2e10, 7) * np.array([1, 3] * 3 + [1])
    runs = table_of(n_params=N, n_tokens=D, flops=6 * N * D, loss=chinchilla(EPOCH, N, D))
    with pytest.raises(
        InputError, match=r"^the \d largest of 7 runs are hidden: memory: \d distinct runs cannot"
    ):
        find_break(runs, ChinchillaLaw(), SPEC)
