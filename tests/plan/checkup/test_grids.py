"""IsoFLOP grids, with the bias table of Open-Athena 2026 (arXiv 2603.22339)."""

import numpy as np
import pytest
from faulty import EPOCH, codes, find, noisy, rows

from benchmarks._planted import SEVEN, chinchilla, isoflop
from benchmarks.parabola_bias import DESIGNS, SURFACES, make_runs
from isoflop.plan.checkup.examine import check_runs

TABLE = [
    ("sym", "3x off", 4.0, "grid-off-centre", 3.472, 0.0),
    ("sym", "3x off", 8.0, "grid-off-centre", 2.645, 0.0),
    ("sym", "drift to 3x", 8.0, "grid-drifts", 3.698, -0.00268),
    ("chin", "3x off", 2.0, "grid-off-centre", 7.110, 0.0),
    ("chin", "3x off", 4.0, "grid-off-centre", 5.691, 0.0),
    ("chin", "drift to 3x", 4.0, "grid-drifts", 9.832, None),
    ("chin", "drift to 3x", 8.0, "grid-drifts", 6.939, -0.00668),
    ("chin", "centred", 8.0, "grid-too-wide", -2.903, 0.0),
    ("chin", "centred", 16.0, "grid-too-wide", -5.100, 0.0),
    ("asym", "centred", 16.0, "grid-too-wide", -23.116, 0.0),
    ("asym", "drift to 3x", 8.0, "grid-drifts", 22.969, -0.02360),
]


@pytest.mark.parametrize(("surface", "design", "half_width", "code", "tokens", "exponent"), TABLE)
def test_grids_that_mislead_are_found_with_the_published_bias(
    surface, design, half_width, code, tokens, exponent
):
    table = make_runs(SURFACES[surface], half_width, *DESIGNS[design])
    checkup = check_runs(table, flops=1e24)
    found = next(each for each in checkup.findings if each.code == code)
    assert 100 * found.numbers["n_tokens_error"] == pytest.approx(tokens, abs=1e-3)
    if exponent is not None:
        assert found.numbers["exponent_error"] == pytest.approx(exponent, abs=6e-6)
    assert found.shift is not None
    assert found.shift.ratio == pytest.approx(1 / (1 + tokens / 100), abs=1e-5)


def test_a_centred_grid_of_usual_width_raises_nothing():
    found = codes(check_runs(make_runs(SURFACES["chin"], 4.0, *DESIGNS["centred"])))
    assert not {code for code in found if code.startswith(("grid", "optimum"))}


def test_a_narrow_grid_is_found_with_its_spread():
    N, D = isoflop(2.0)(EPOCH)
    found = find(rows(N, D, noisy(chinchilla(EPOCH, N, D))), "grid-too-narrow")
    # measured over 500 studies: RMSE of a .0160, of log10 N* .066 at 100 times the largest budget
    assert found.numbers["sd_a"] == pytest.approx(0.0160, rel=0.3)
    assert found.numbers["sd_log_n"] / np.log(10) == pytest.approx(0.066, rel=0.3)


def test_minima_outside_the_grid_are_found_with_their_rows():
    N, D = isoflop(2.0, budgets=SEVEN[:3])(EPOCH)
    more, less = isoflop(4.0, budgets=SEVEN[3:])(EPOCH)
    N, D = np.append(N * 5, more), np.append(D / 5, less)
    found = find(rows(N, D, chinchilla(EPOCH, N, D)), "optimum-at-edge")
    assert found.numbers["n_edges"] == 3
    assert found.rows == tuple(range(1, 28))


@pytest.mark.parametrize(("n", "seed"), [(5, 2), (5, 5), (8, 3)])  # each raised one of them
def test_the_diagonals_of_a_grid_of_sizes_and_data_are_no_isoflop_curves(n, seed):
    sizes = np.geomspace(2e7, 2e9, n)
    N, D = (side.ravel().round() for side in np.meshgrid(sizes, 20 * sizes, indexing="ij"))
    table = rows(N, D, noisy(chinchilla(EPOCH, N, D), 0.01, seed))
    assert not codes(table) & {"grid-too-wide", "grid-off-centre", "grid-drifts", "optimum-at-edge"}


def test_sizes_crossed_with_budgets_stay_isoflop_curves():
    N, C = (
        side.ravel() for side in np.meshgrid(1e7 * 4.0 ** np.arange(7), 1e19 * 4.0 ** np.arange(5))
    )
    D = C / (6 * N)
    assert "grid-too-wide" in codes(rows(N, D, noisy(chinchilla(SURFACES["chin"], N, D), 0.001)))
