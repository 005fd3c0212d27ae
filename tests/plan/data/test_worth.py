"""What epochs are worth: the published table, the fresh limit, and a fit."""

import numpy as np
import pytest
from plan.fitted import fit_planted

from isoflop.base.errors import InputError
from isoflop.laws.repeated import RepeatedLaw
from isoflop.plan.data.worth import value_repeats

THETA = [1.87, 521.0, 1488.0, 0.35266, 0.35266, 15.39, 5.31]


@pytest.mark.parametrize(
    ("epochs", "worth"),
    [(2, "1.97"), (4, "3.73"), (8, "6.6"), (16, "10.6"), (40, "15.2"), (np.inf, "16.39")],
)
def test_the_table_of_muennighoff(epochs: float, worth: str) -> None:
    (row,) = value_repeats(epochs=[epochs]).table
    digits = len(worth.partition(".")[2])
    assert f"{row.worth.value:.{digits}f}" == worth


def test_four_epochs_keep_93_per_cent_and_one_keeps_all() -> None:
    one, four = value_repeats(epochs=[1, 4]).table
    assert (one.worth.value, one.share.value, one.next_token.value) == (1, 1, 1)
    assert f"{100 * four.share.value:.0f}" == "93"


def test_the_next_token_is_the_slope_of_the_worth() -> None:
    before, at, after = value_repeats(epochs=[7.999, 8, 8.001]).table
    slope = (after.worth.value - before.worth.value) / 0.002
    assert at.next_token.value == pytest.approx(slope, rel=1e-6)


def test_the_limit_has_no_number_of_epochs_in_json() -> None:
    (limit,) = value_repeats(epochs=[np.inf]).to_dict()["table"]
    assert limit["epochs"] is None
    assert limit["share"]["value"] == 0


def test_the_decays_are_said_to_be_barely_identified() -> None:
    notes = " ".join(value_repeats().notes)
    assert "no covariance" in notes
    assert "barely identified" in notes


def test_a_fit_brings_intervals() -> None:
    grid = {
        "n_params": np.geomspace(1e8, 4e9, 4),
        "n_tokens": np.geomspace(1e9, 1e12, 6),
        "n_tokens_unique": np.array([1e9, 8e9, 6e10]),
    }
    found = value_repeats(fit_planted(RepeatedLaw(), THETA, grid, noise=0.001), epochs=[8])
    assert found.decay.low < 15.39 < found.decay.high
    assert found.table[0].worth.low < 6.62 < found.table[0].worth.high


@pytest.mark.parametrize("epochs", [0.5, -1, float("nan")])
def test_fewer_epochs_than_one_are_refused(epochs: float) -> None:
    with pytest.raises(InputError, match="epochs must be at least 1"):
        value_repeats(epochs=[epochs])
