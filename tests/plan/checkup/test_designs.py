"""Rays, one size, one budget, short ranges."""

import numpy as np
import pytest
from faulty import EPOCH, TRUE_A, codes, find, ladder, noisy, rows

from benchmarks._planted import chinchilla, isoflop
from isoflop.plan.checkup.case import open_case
from isoflop.plan.checkup.designs import design_spread, interval_of_exponent
from isoflop.plan.checkup.examine import check_runs
from isoflop.runs.table import RunTable

SIZES = np.geomspace(1e7, 1e10, 63)


@pytest.mark.parametrize(
    ("N", "D", "code"),
    [
        (SIZES, 20 * SIZES, "single-ray"),
        (SIZES, 1e20 / (6 * SIZES), "one-budget"),
        (np.full(63, 1e8), np.geomspace(2e8, 2e11, 63), "one-size"),
    ],
)
def test_designs_that_determine_nothing_are_errors(N, D, code):
    found = find(rows(N, D, noisy(chinchilla(EPOCH, N, D))), code)
    assert found.severity == "error"
    assert found.numbers["condition"] > 1e3


@pytest.mark.parametrize("count", [10, 40, 63])
@pytest.mark.parametrize("size", [1e8, 9.9e7, 3.7e8])
def test_one_size_leaves_a_without_a_standard_error(count, size):
    D = np.geomspace(2e8, 2e11, count)
    N = np.full(count, size)
    found = find(rows(N, D, noisy(chinchilla(EPOCH, N, D))), "one-size")
    assert "a is not identified" in found.consequence
    assert "standard error" not in found.consequence
    assert "sd_a" not in found.numbers


def test_a_ray_has_a_standard_error_wider_than_its_range():
    ray = find(rows(SIZES, 20 * SIZES, noisy(chinchilla(EPOCH, SIZES, 20 * SIZES))), "single-ray")
    assert ray.numbers["sd_a"] > 1
    assert ray.consequence.endswith("where a lies between 0 and 1: not identified")


def test_a_ray_is_worse_than_a_near_ray_and_a_near_ray_than_a_grid():
    spread = np.geomspace(18, 23, 7)[np.arange(63) % 7]
    ray, near = design_spread(SIZES, 20 * SIZES, 0.005), design_spread(SIZES, spread * SIZES, 0.005)
    grid = design_spread(*isoflop(4.0)(EPOCH), 0.005)
    assert ray[0] > 1e5
    assert grid[1] == pytest.approx(0.0076, rel=0.1)  # measured .0075 to .0076 over 500 studies
    assert near[1] == pytest.approx(0.086, rel=0.35)
    assert ray[1] > 3 * near[1]


def test_a_near_ray_is_a_warning_and_a_grid_is_fine():
    D = np.geomspace(18, 23, 7)[np.arange(63) % 7] * SIZES
    assert find(rows(SIZES, D, chinchilla(EPOCH, SIZES, D)), "single-ray").severity == "warning"
    N, D, L = ladder()
    assert not codes(rows(N, D, L)) & {"single-ray", "one-size", "one-budget", "few-decades"}


def test_two_decades_do_not_carry_four_beyond():
    N, D = isoflop(4.0, budgets=np.geomspace(1e18, 1e20, 6))(EPOCH)
    table = rows(N, D, noisy(chinchilla(EPOCH, N, D)))
    found = find(table, "few-decades", flops=1e24)
    assert found.numbers["decades"] == pytest.approx(2)
    assert found.numbers["beyond"] == pytest.approx(4)
    assert found.numbers["sd_log_n"] > 0.1
    assert "few-decades" not in codes(table)


def test_less_than_a_decade_is_few_whatever_the_target():
    N, D = isoflop(4.0, budgets=np.geomspace(1e18, 5e18, 4))(EPOCH)
    assert "few-decades" in codes(rows(N, D, noisy(chinchilla(EPOCH, N, D))), flops=1e19)


def test_losses_that_follow_no_surface_are_found():
    N, D, L = ladder()
    found = find(rows(N, D, L * (1 + 0.1 * np.sin(3 * np.log(N)))), "surface-does-not-fit")
    assert found.numbers["rms"] > 0.02
    assert "surface-does-not-fit" not in codes(rows(N, D, noisy(L, 0.01)))


def test_the_head_gives_a_with_an_interval_that_covers_it():
    covered, N_D = 0, isoflop(4.0)(EPOCH)
    for seed in range(60):
        table = RunTable.from_records(rows(*N_D, noisy(chinchilla(EPOCH, *N_D), seed=seed)))
        a = interval_of_exponent(open_case(table))
        assert a is not None
        assert a.low is not None
        assert a.high is not None
        covered += a.low <= TRUE_A <= a.high
    assert 48 <= covered <= 60  # 90 % of 60, three standard errors below it
    checkup = check_runs(rows(*N_D, noisy(chinchilla(EPOCH, *N_D))))
    assert checkup.to_dict()["a"] == checkup.a.to_dict()
    assert f"surface with a = {checkup.a}, residuals" in str(checkup)
    assert "[" in str(checkup.a)
    assert check_runs(rows(SIZES, 20 * SIZES, np.full(63, 3.0))).to_dict()["a"] is None


def test_sizes_too_close_for_their_noise_leave_the_exponent_unknown():
    N, D = np.repeat(np.geomspace(2e8, 1e9, 5), 12), np.tile(np.geomspace(4e9, 1e11, 12), 5)
    L = chinchilla(EPOCH, N, D)
    found = find(rows(N, D, noisy(L, 0.02)), "exponent-unknown")
    assert found.severity == "warning"
    assert found.numbers["half_width"] > 0.2
    assert found.numbers["n_cells"] == 60
    assert "exponent-unknown" not in codes(rows(N, D, noisy(L, 0.001)))
    assert "exponent-unknown" not in codes(rows(*ladder()))
