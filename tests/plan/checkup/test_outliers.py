"""Runs above the law: diverged, undertuned, and those that the answer rests on."""

import os
from pathlib import Path

import numpy as np
import pytest
from faulty import EPOCH, TARGET, codes, find, ladder, noisy, rows

import isoflop
from benchmarks._planted import chinchilla
from benchmarks._planted import isoflop as isoflop_grid
from isoflop.plan.checkup.examine import check_runs

SHARED = Path(os.environ.get("ISOFLOP_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
POINTS = SHARED / "chinchilla-epoch" / "svg_extracted_data.csv"


def test_a_twentieth_of_the_runs_five_per_cent_high_is_found_with_its_price():
    errors = []
    for seed in range(6):
        N, D, L = ladder()
        wrong = np.zeros(len(N), dtype=bool)
        wrong[np.random.default_rng(seed).choice(len(N), 3, replace=False)] = True
        L = noisy(np.where(wrong, 1.05, 1.0) * L, 0.003, seed)
        found = find(rows(N, D, L), "undertuned-runs", flops=TARGET)
        assert set(found.rows) >= {int(k) + 1 for k in np.flatnonzero(wrong)}
        assert len(found.rows) <= 4
        assert found.numbers["E_without"] == pytest.approx(EPOCH[0], abs=0.06)
        errors.append(found.numbers["loss_error"])
    assert max(np.abs(errors)) > 0.02  # up to -.05 in the measured study


def test_diverged_runs_are_told_from_undertuned_ones_and_noted_when_marked():
    N, D, L = ladder()
    L = noisy(L)
    L[[10, 40]] *= 1.4
    found = find(rows(N, D, L), "diverged-runs")
    assert found.severity == "warning"
    assert found.rows == (11, 41)
    status = ["diverged" if k in (10, 40) else "finished" for k in range(len(N))]
    marked = find(rows(N, D, L, status=status), "diverged-runs")
    assert marked.severity == "note"
    assert marked.rows == (11, 41)


@pytest.mark.parametrize(("low", "factor"), [((58,), 0.5), ((7,), 0.9), ((7, 31, 48), 0.9)])
def test_runs_below_the_law_are_told(low: tuple[int, ...], factor: float):
    N, D, L = ladder()
    L = noisy(L, 0.004)
    L[list(low)] *= factor
    found = find(rows(N, D, L), "runs-too-low")
    assert found.rows == tuple(k + 1 for k in low)
    assert f"{len(low)} of 63 runs" in found.evidence
    assert found.numbers["E_without"] == pytest.approx(EPOCH[0], abs=0.06)
    assert not codes(rows(N, D, L)) & {"optimum-at-edge", "undertuned-runs", "diverged-runs"}


def test_outliers_bend_no_valley_and_other_units_are_none():
    N, D, L = ladder()
    L = noisy(L, 0.004)
    diverged = L.copy()
    diverged[[31, 40]] *= 1.4
    assert codes(rows(N, D, diverged)) == {"diverged-runs", "lr-not-bracketed", "noise-unknown"}
    bits = np.arange(len(N)) % 2 == 0
    unit = ["bits/token" if each else "nats/token" for each in bits]
    mixed = codes(rows(N, D, L / np.where(bits, np.log(2), 1.0), loss_unit=unit))
    assert mixed == {"mixed-loss-units", "lr-not-bracketed", "noise-unknown"}


def test_two_sided_noise_raises_nothing():
    N, D, L = ladder()
    assert not codes(rows(N, D, noisy(L))) & {
        "diverged-runs", "undertuned-runs", "runs-too-low", "few-runs-move-the-answer",
    }  # fmt: skip


@pytest.mark.skipif(not POINTS.exists(), reason="the digitised Chinchilla points are not here")
def test_five_of_the_245_points_move_the_tokens_per_parameter_by_2_6():
    table = isoflop.derive_column(isoflop.read_runs(POINTS), "n_tokens")
    checkup = check_runs(table, flops=5.76e23)
    found = next(each for each in checkup.findings if each.code == "few-runs-move-the-answer")
    assert len(found.rows) == 5
    assert found.numbers["a_with"] == pytest.approx(0.5646, abs=5e-4)
    assert found.numbers["a_without"] == pytest.approx(0.5139, abs=5e-4)
    assert found.numbers["tokens_per_param_with"] == pytest.approx(6.8, abs=0.1)
    assert found.numbers["tokens_per_param_without"] == pytest.approx(17.9, abs=0.1)


@pytest.mark.parametrize("seed", range(4))
def test_two_of_twenty_runs_that_bend_least_squares_are_named(seed):
    N, D = isoflop_grid(4.0, budgets=np.geomspace(1e17, 1e20, 4), points=5)(EPOCH)
    high = np.isin(np.arange(20), (15, 16))
    L = noisy(chinchilla(EPOCH, N, D), 0.003, seed)
    found = find(rows(N, D, np.where(high, 1.08, 1.0) * L), "undertuned-runs")
    assert found.rows == (16, 17)
    assert not codes(rows(N, D, L)) & {"undertuned-runs", "diverged-runs"}


def test_a_run_alone_lies_at_one_number_in_full():
    N, D, L = ladder()
    for factor, said in ((3.5, "1 of 63 runs lies 250 % above"), (1.4, "1 of 63 runs lies 40 % ")):
        high = np.where(np.arange(63) == 30, factor, 1.0) * noisy(L, 1e-4)
        assert said in find(rows(N, D, high), "diverged-runs").evidence
