"""Kaplan's band of sizes, and its price against a search over steps."""

import numpy as np
import pytest

from isoflop.base.errors import InputError, RefusalError
from isoflop.plan.kaplan.stopping import compare_stopping
from isoflop.plan.kaplan.wrong_size import price_wrong_size


def test_the_band_of_twenty_per_cent() -> None:
    found = price_wrong_size(2.2)
    assert f"{found.smallest.value:.3f}" == "0.577"
    assert f"{found.largest.value:.3f}" == "2.183"
    assert f"{100 * (1 - found.steps_ratio.value):.0f}" == "45"
    assert f"{found.compute_ratio.value:.2f}" == "1.20"


@pytest.mark.parametrize("ratio", [0.4, 0.6, 1.0, 2.2, 30.0])
def test_the_price_is_that_of_training_on_until_the_loss_is_reached(ratio: float) -> None:
    best = compare_stopping(loss=2.5).best
    N = ratio * best.n_params.value
    S = 2.1e3 * (2.5 - (6.5e13 / N) ** 0.077) ** (-1 / 0.76)
    found = price_wrong_size(ratio)
    assert found.steps_ratio.value == pytest.approx(S / best.steps.value, rel=1e-9)
    assert found.compute_ratio.value == pytest.approx(ratio * S / best.steps.value, rel=1e-9)


def test_a_size_that_never_reaches_the_loss_is_refused() -> None:
    with pytest.raises(RefusalError, match=r"never reaches its loss.*0\.286 times"):
        price_wrong_size(0.28)
    with pytest.raises(InputError, match="ratio must be positive"):
        price_wrong_size(-1)


def test_a_wider_band_holds_the_narrower() -> None:
    narrow, wide = (price_wrong_size(1.0, excess=x) for x in (0.05, 0.5))
    assert wide.smallest.value < narrow.smallest.value < 1 < narrow.largest.value
    assert narrow.largest.value < wide.largest.value
    assert np.isfinite(wide.largest.value)
