"""Schedules as curves: the sums, the pieces, the guards; the rates of Luo's runs."""

import numpy as np
import pytest
from learning_curves import HELD_OUT, TRAINING, needs_curves, read_curve

from isoflop.base.errors import InputError
from isoflop.laws.schedules.checks import check_schedule
from isoflop.laws.schedules.curve import ScheduleCurve, split_by_curve
from isoflop.laws.schedules.usual import Frame, constant_schedule, cooldown_schedule, step_schedule


@needs_curves
@pytest.mark.parametrize("name", [*TRAINING, *HELD_OUT])
@pytest.mark.parametrize("size", ["25", "100", "400"])
def test_our_schedules_are_those_the_runs_recorded(size: str, name: str) -> None:
    recorded = read_curve(size, name)
    rates = {**TRAINING, **HELD_OUT}[name].lr[recorded["step"].astype(int)]
    np.testing.assert_allclose(rates, recorded["lr"], rtol=1e-12)


def test_a_cooldown_by_root_falls_fast_then_slowly() -> None:
    curve = cooldown_schedule(Frame(104, 1.0), at=4, decay="sqrt")
    np.testing.assert_allclose(curve.lr[[4, 29, 79]], [1.0, 0.5, 1 - np.sqrt(0.75)])


def test_runs_of_a_schedule_rebuild_it_to_the_last_bit() -> None:
    for curve in (*TRAINING.values(), constant_schedule(Frame(5, 1e-3))):
        again = ScheduleCurve.from_runs(curve.name, curve.runs())
        assert again == curve
        assert hash(again) == hash(curve)
    assert constant_schedule(Frame(5, 1e-3)).runs() == [[1e-3, 5]]


def test_rates_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        TRAINING["wsdcon_9"].lr[0] = 1.0


@pytest.mark.parametrize("rates", [[], [[1.0]], [1.0, -1.0], [np.nan], [0.0, 0.0]])
def test_what_is_no_schedule_is_refused(rates: list[float]) -> None:
    with pytest.raises(InputError, match="schedule odd"):
        ScheduleCurve("odd", np.array(rates))


@pytest.mark.parametrize("at", [-1, 1, 10])
def test_a_change_outside_the_training_is_refused(at: int) -> None:
    with pytest.raises(InputError, match="must change between step 2 and 9"):
        step_schedule(Frame(10, 1.0, 2), at=at, to=0.1)


def test_steps_and_curves_that_are_not_there_are_named() -> None:
    curves = (constant_schedule(Frame(10, 1.0)), constant_schedule(Frame(20, 1.0)))
    with pytest.raises(InputError, match=r"constant 10 has steps 0 to 9, found step 12"):
        split_by_curve(curves, {"curve": np.array([1.0]), "steps": np.array([12.0])})
    with pytest.raises(InputError, match=r"found step 3\.5"):
        split_by_curve(curves[:1], {"steps": np.array([3.5])})
    with pytest.raises(InputError, match="curve 3 is none of the law's 2"):
        split_by_curve(curves, {"curve": np.array([3.0]), "steps": np.array([1.0])})


def test_schedules_outside_the_fit_are_found_and_those_inside_are_not() -> None:
    fitted = list(TRAINING.values())
    for curve in fitted:
        assert check_schedule(curve, fitted) == ()
    assert [f.code for f in check_schedule(constant_schedule(Frame(90_000, 3e-4)), fitted)] == [
        "schedule-beyond-data"
    ]
    assert [f.code for f in check_schedule(constant_schedule(Frame(100, 6e-4)), fitted)] == [
        "rate-above-data"
    ]
    idle = ScheduleCurve("idle", np.append(np.full(50, 3e-4), np.zeros(7)))
    (finding,) = check_schedule(idle, fitted)
    assert finding.code == "zero-rate-tail"
    assert finding.evidence == "the last 7 steps of idle have a learning rate of zero"
