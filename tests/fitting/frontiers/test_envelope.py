"""Approach 1 on surfaces whose frontier is known."""

from dataclasses import replace

import numpy as np
import pytest
from planted import SURFACES, chinchilla, make_table, optimum

from isoflop.base.errors import EdgeOptimumError, InputError
from isoflop.fitting.frontiers.envelope import fit_envelope
from isoflop.fitting.frontiers.optima import FrontierPoints
from isoflop.fitting.parametric import FitSpec

POINT = FitSpec(n_resamples=0)


def dense_design(theta: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Sizes a factor 1.35 apart around the optima of 1e18..1e22, tokens on both sides of theirs."""
    low, high = optimum(theta, np.array([1e18, 1e22]))
    sizes = low * 1.35 ** np.arange(-2, np.log(high / low) / np.log(1.35) + 3)
    best_tokens = np.array([1e18 / (6 * low), 1e22 / (6 * high)])
    tokens = np.geomspace(best_tokens[0] / 30, best_tokens[1] * 30, 80)
    N, D = np.meshgrid(sizes, tokens, indexing="ij")
    return N.ravel(), D.ravel()


@pytest.mark.parametrize("surface", SURFACES)
def test_dense_sizes_give_the_exponent_within_two_hundredths(surface: str) -> None:
    theta = SURFACES[surface]
    frontier = fit_envelope(make_table(theta, *dense_design(theta)), POINT)
    assert frontier.params["a"].value == pytest.approx(theta[4] / (theta[3] + theta[4]), abs=0.02)
    assert frontier.params["b"].value == pytest.approx(theta[3] / (theta[3] + theta[4]), abs=0.02)
    middle = float(np.sqrt(frontier.points.flops[0] * frontier.points.flops[-1]))
    n_params, n_tokens, _ = frontier.optimum(middle)
    assert n_params.value == pytest.approx(optimum(theta, middle), rel=0.1)
    assert 6 * n_params.value * n_tokens.value == pytest.approx(middle, rel=1e-3)


def test_the_winners_loss_is_the_lowest_there_is_at_that_compute() -> None:
    theta = SURFACES["epoch"]
    N, D = dense_design(theta)
    frontier = fit_envelope(make_table(theta, N, D), POINT)
    sizes = np.unique(N)[:, None]
    best = chinchilla(theta, sizes, frontier.points.flops / (6 * sizes)).min(axis=0)
    assert frontier.points.loss == pytest.approx(best, rel=2e-3)


def test_winners_at_the_edge_of_the_grid_are_left_out() -> None:
    theta = SURFACES["epoch"]
    N, D = dense_design(theta)
    frontier = fit_envelope(make_table(theta, N, D), POINT)
    assert N.min() < frontier.points.n_params.min()
    assert frontier.points.n_params.max() < N.max()


def test_the_winners_curse_is_always_told() -> None:
    frontier = fit_envelope(make_table(SURFACES["epoch"], *dense_design(SURFACES["epoch"])), POINT)
    assert "winners-curse" in [finding.code for finding in frontier.findings]


def test_intervals_hold_the_estimate_and_depend_on_the_seed() -> None:
    table = make_table(SURFACES["epoch"], *dense_design(SURFACES["epoch"]), noise=0.003)
    first, again, other = (fit_envelope(table, FitSpec(n_resamples=40, seed=s)) for s in (1, 1, 2))
    assert first.draws.tobytes() == again.draws.tobytes()
    assert first.draws.tobytes() != other.draws.tobytes()
    for estimate in first.params.values():
        assert estimate.low < estimate.value < estimate.high


def test_a_size_whose_rival_was_not_trained_that_long_has_not_won() -> None:
    # Every size trained on the same tokens: at low compute only small sizes were measured at
    # all, at high compute only large ones. Counting those wins gives a = 1, not beta/(alpha+beta).
    theta = SURFACES["asym"]
    N, D = np.meshgrid(np.geomspace(1e7, 1e9, 16), np.geomspace(1e10, 1e11, 10))
    try:
        found = fit_envelope(make_table(theta, N.ravel(), D.ravel()), POINT).params["a"].value
    except EdgeOptimumError:
        return
    assert found == pytest.approx(0.25, abs=0.05)


def test_three_sizes_are_no_envelope() -> None:
    N, D = np.meshgrid([1e7, 1e8, 1e9], np.geomspace(1e8, 1e11, 10))
    with pytest.raises(InputError, match="3 sizes have runs at two computes or more"):
        fit_envelope(make_table(SURFACES["epoch"], N.ravel(), D.ravel()), POINT)


def test_a_single_winner_inside_the_grid_has_no_slope() -> None:
    N, D = np.meshgrid([1e6, 1e7, 2e11, 4e13], np.geomspace(1e8, 3e13, 60))
    with pytest.raises(EdgeOptimumError, match="fewer than two winners inside the grid"):
        fit_envelope(make_table(SURFACES["epoch"], N.ravel(), D.ravel()), POINT)


def test_the_card_shows_ten_optima_of_many_and_says_how_many_are_left() -> None:
    frontier = fit_envelope(make_table(SURFACES["epoch"], *dense_design(SURFACES["epoch"])), POINT)
    optima = [line for line in str(frontier).splitlines() if line.startswith("  C ")]
    n_points = len(frontier.points)
    assert n_points > 11
    assert len(optima) == 10
    assert f"  … and {n_points - 10} more (--json has all)" in str(frontier)
    shown = [float(line.split()[1]) for line in optima]
    flops = np.sort(frontier.points.flops)
    assert shown == pytest.approx([*flops[:5], *flops[-5:]], rel=0.005)


def test_a_card_of_few_optima_shows_them_all() -> None:
    frontier = fit_envelope(make_table(SURFACES["epoch"], *dense_design(SURFACES["epoch"])), POINT)
    few = FrontierPoints(
        *(getattr(frontier.points, n)[:11] for n in ("flops", "n_params", "n_tokens", "loss"))
    )
    card = str(replace(frontier, points=few))
    assert card.count("\n  C ") == 11
    assert "more (--json has all)" not in card


def test_a_grid_with_few_curves_has_no_envelope() -> None:
    """One run a size and budget, as IsoFLOP grids are; here and there two budgets share a size."""
    theta = SURFACES["epoch"]
    N, D = dense_design(theta)
    alone = N[::80] * 1.1  # as many sizes again, and one run each
    table = make_table(theta, np.append(N, alone), np.append(D, np.median(D) + 0 * alone))
    assert fit_envelope(table, POINT).params["a"].value == pytest.approx(
        theta[4] / (theta[3] + theta[4]), abs=0.02
    )
    more = np.append(alone, N[::80] * 1.2)
    table = make_table(theta, np.append(N, more), np.append(D, np.median(D) + 0 * more))
    with pytest.raises(InputError, match=r"of \d+ sizes have runs at two computes.*isoflop"):
        fit_envelope(table, POINT)
