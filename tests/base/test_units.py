"""Units against their definitions."""

import math

import pytest

from isoflop.base.units import PF_DAY, from_pf_days, to_bits, to_pf_days


def test_a_petaflop_day_is_a_day_of_a_petaflop_per_second() -> None:
    assert PF_DAY == 1e15 * 24 * 60 * 60


def test_gpt_3_was_trained_with_3640_pf_days() -> None:
    # Brown et al. 2020, table D.1: 3.14e23 FLOPs, 3.64e3 PF-days.
    assert to_pf_days(3.14e23) == pytest.approx(3.64e3, rel=2e-3)
    assert to_pf_days(from_pf_days(12.5)) == pytest.approx(12.5, rel=1e-15)


def test_a_bit_is_log_two_nats() -> None:
    assert to_bits(math.log(8)) == pytest.approx(3, rel=1e-15)
