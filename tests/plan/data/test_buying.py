"""What more distinct data buy, against allocating anew."""

import numpy as np
import pytest

from isoflop.base.errors import InputError
from isoflop.laws.catalog import find_published
from isoflop.plan.data.allocation import plan_repeats
from isoflop.plan.data.buying import price_data

C, U = 1e22, 25e9


@pytest.mark.parametrize("factor", [1.5, 2.0, 10.0])
def test_the_equal_compute_reaches_the_same_loss_on_the_data_at_hand(factor: float) -> None:
    (offer,) = price_data(C, U, factors=[factor]).offers
    richer, longer = plan_repeats(C, factor * U), plan_repeats(offer.flops_equal.value, U)
    assert offer.loss.value == pytest.approx(richer.loss.value, rel=1e-12)
    assert offer.loss.value == pytest.approx(longer.loss.value, rel=1e-9)
    assert offer.gain.value == pytest.approx(plan_repeats(C, U).loss.value - offer.loss.value)
    assert offer.flops_equal.value > C


def test_no_compute_replaces_data_beyond_the_floor() -> None:
    found = price_data(1e26, U, factors=[2, 1000])
    assert found.offers[0].loss.value < found.floor.value
    assert found.offers[1].flops_equal.value == np.inf
    assert found.to_dict()["offers"][1]["flops_equal"]["value"] is None


def test_the_floor_is_the_loss_of_endless_epochs_of_an_endless_model() -> None:
    law = find_published("muennighoff-2023-repeated")
    endless = {"n_params": [1e16], "n_tokens": [1e18], "n_tokens_unique": [U]}
    at = {name: np.array(value) for name, value in endless.items()}
    expected = law.law.predict(law.theta, at)[0]
    assert price_data(C, U).floor.value == pytest.approx(expected, rel=1e-12)


def test_more_data_than_the_budget_can_read_buy_nothing_more() -> None:
    ten, hundred = price_data(C, U, factors=[10, 100]).offers
    assert ten.epochs.value < 1
    assert hundred.loss.value == pytest.approx(ten.loss.value, rel=1e-12)


def test_bad_amounts_are_refused() -> None:
    with pytest.raises(InputError, match="factor must be positive"):
        price_data(C, U, factors=[-2])
