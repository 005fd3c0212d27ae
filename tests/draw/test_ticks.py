import numpy as np
import pytest

from isoflop.draw.ticks import (
    format_alike,
    format_amount,
    format_power,
    log_ticks,
    minor_log_ticks,
    spread_labels,
)


@pytest.mark.parametrize("factor", [1.05, 1.3, 2, 3.9, 4.1, 8, 30, 1e3, 1e7, 1e13])
@pytest.mark.parametrize("low", [0.013, 1.7, 6e3, 8.3e11, 4.4e22])
@pytest.mark.parametrize("most", [3, 4, 6])
def test_every_range_gets_a_few_labels_inside_it(low, factor, most):
    high = low * factor
    ticks = log_ticks(low, high, most=most)
    assert 1 <= len(ticks) <= most
    assert ticks == sorted(ticks)
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)


@pytest.mark.parametrize("factor", [1.05, 1.3, 2, 8, 30, 1e3, 1e13])
def test_a_range_with_room_for_six_labels_has_at_least_two(factor):
    counts = [len(log_ticks(low, low * factor)) for low in np.geomspace(1, 10, 23)]
    assert min(counts) >= 2


def test_labels_of_one_axis_differ():
    for low in np.geomspace(1e3, 1e6, 17):
        for factor in (1.1, 2, 5, 100):
            ticks = log_ticks(low, low * factor)
            assert len({format_amount(tick) for tick in ticks}) == len(ticks)
            assert len(set(format_alike(ticks))) == len(ticks)


def test_a_narrow_axis_has_no_minor_ticks_and_a_wide_one_does():
    assert minor_log_ticks(1.5, 2.5) == []
    assert 2e4 in minor_log_ticks(1e4, 1e6)


def test_a_mantissa_is_written_before_the_power():
    assert format_power(5.76e23) == r"$5.76{\times}10^{23}$"


def test_labels_too_close_move_apart_and_keep_their_order():
    placed = spread_labels([0.5, 0.52, 0.51, 0.9], 0.1)
    assert placed == pytest.approx([0.41, 0.61, 0.51, 0.9])
    assert np.diff(sorted(placed)).min() >= 0.1 - 1e-9
