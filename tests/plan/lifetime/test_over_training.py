"""Over-training against Gadre's closed form and against other laws' own optimum."""

import numpy as np
import pytest
from plan.fitted import fit_planted
from planted import chinchilla

from isoflop.base.errors import InputError
from isoflop.laws.catalog import find_published
from isoflop.laws.over_training import OverTrainingLaw
from isoflop.plan.lifetime.over_training import price_over_training

LAW = find_published("gadre-2024-redpajama")
E, A, B, ETA = LAW.theta


def at_ratio(M: float, C: float) -> float:
    """L = E + (a·M^eta + b·M^-eta)·C^-eta."""
    return E + (A * M**ETA + B * M**-ETA) * C**-ETA


@pytest.mark.parametrize("factor", [0.25, 1.0, 4.0, 32.0])
@pytest.mark.parametrize("flops", [1e19, 1e23])
def test_the_price_is_the_closed_form_whatever_the_budget(factor: float, flops: float) -> None:
    (row,) = price_over_training(flops, factors=[factor]).table
    M_opt = (B / A) ** (1 / (2 * ETA))
    M = factor * M_opt
    assert row.tokens_per_param.value == pytest.approx(M, rel=1e-5)
    assert row.loss.value == pytest.approx(at_ratio(M, flops), rel=1e-7)
    overhead = (at_ratio(M, 1.0) - E) / (at_ratio(M_opt, 1.0) - E)
    assert row.equal_flops.value == pytest.approx(overhead ** (1 / ETA), rel=1e-5)
    assert at_ratio(M, row.equal_flops.value * flops) == pytest.approx(
        at_ratio(M_opt, flops), rel=1e-9
    )
    assert row.n_params.value * row.n_tokens.value * 6 == pytest.approx(flops, rel=1e-12)
    sizes = np.sqrt(overhead ** (1 / ETA) / factor)
    assert row.equal_params.value == pytest.approx(sizes, rel=1e-5)


def test_it_pays_once_what_is_served_makes_up_for_the_training() -> None:
    best, over = price_over_training(1e21, factors=[1, 8]).table
    assert np.isnan(best.pays_after.value)
    assert best.to_dict()["pays_after"]["value"] is None
    N = over.equal_params.value * best.n_params.value
    served = over.pays_after.value
    short = 1e21 + 2 * best.n_params.value * served
    long = over.equal_flops.value * 1e21 + 2 * N * served
    assert long == pytest.approx(short, rel=1e-6)


def test_any_law_of_size_and_tokens_will_do() -> None:
    (row,) = price_over_training(1e22, "besiroglu-2024", factors=[10]).table
    theta = (1.8172, 482.01, 2085.43, 0.3478, 0.3658)
    assert row.loss.value == pytest.approx(
        chinchilla(theta, row.n_params.value, row.n_tokens.value), rel=1e-12
    )
    assert row.penalty.value > 0


def test_a_fit_brings_intervals() -> None:
    grid = {"n_params": np.geomspace(1e7, 4e8, 6), "n_tokens": np.geomspace(2e8, 1e11, 6)}
    fit = fit_planted(OverTrainingLaw(), LAW.theta.tolist(), grid, noise=0.002, draws=60)
    (row,) = price_over_training(1e21, fit, factors=[16]).table
    (true,) = price_over_training(1e21, factors=[16]).table
    for name in ("equal_flops", "penalty", "loss"):
        found, expected = getattr(row, name), getattr(true, name).value
        assert found.low < expected < found.high


def test_the_published_law_says_where_its_runs_end() -> None:
    notes = " ".join(price_over_training(1e24).notes)
    assert "no covariance" in notes
    assert "outside the runs fitted" in notes


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="factor must be positive"):
        price_over_training(1e21, factors=[-1])
    with pytest.raises(InputError, match="no factor"):
        price_over_training(1e21, factors=[])
    with pytest.raises(InputError, match="flops must be positive"):
        price_over_training(0)
