"""The loss of a residual against the formulas of Huber and of least squares."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import huber

from isoflop.base.errors import InputError
from isoflop.fitting.objective import Objective

RESIDUALS = np.concatenate([-np.geomspace(1e-6, 1, 25), [0.0], np.geomspace(1e-6, 1, 25)])


@pytest.mark.parametrize("delta", [1e-3, 1e-2, 0.5])
def test_huber_is_scipys_huber(delta: float) -> None:
    assert Objective("huber", delta).value(RESIDUALS) == pytest.approx(huber(delta, RESIDUALS))


def test_squared_is_half_the_square_whatever_delta() -> None:
    assert Objective("squared", 1e-9).value(RESIDUALS).tolist() == (RESIDUALS**2 / 2).tolist()


def test_the_robust_loss_is_tukeys_biweight() -> None:
    # Beaton & Tukey 1974: rho = c²/6·(1 − (1 − (r/c)²)³) inside c, c²/6 outside.
    inside = np.clip(RESIDUALS / 0.1, -1, 1)
    expected = 0.1**2 / 6 * (1 - (1 - inside**2) ** 3)
    found = Objective("robust", 0.1).value(RESIDUALS)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-15)
    assert found[-1] == 0.1**2 / 6


def test_an_overflow_is_not_an_outlier() -> None:
    assert np.isinf(Objective("robust", 0.1).value(np.array([np.inf]))).all()


@pytest.mark.parametrize("kind", ["huber", "squared", "robust"])
def test_the_solvers_weights_are_the_derivatives(kind: str) -> None:
    objective = Objective(kind, 1e-2)  # type: ignore[arg-type]
    step = 1e-7
    away = RESIDUALS[np.abs(np.abs(RESIDUALS) - 1e-2) > 1e-3]  # not at the kink
    away = away[np.abs(away) > 1e-4]
    slope = (objective.value(away + step) - objective.value(away - step)) / (2 * step)
    assert objective.slope_over_residual(away) == pytest.approx(slope / away, rel=1e-4)
    if kind == "robust":
        psi = objective.slope_over_residual(away + step) * (away + step)
        psi -= objective.slope_over_residual(away - step) * (away - step)
        expected = psi / (2 * step)
    else:
        expected = np.ones_like(away) if kind == "squared" else (np.abs(away) < 1e-2) * 1.0
    assert objective.curvature(away) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(st.floats(-10, 10), st.floats(1e-6, 10))
def test_huber_never_exceeds_least_squares(residual: float, delta: float) -> None:
    at = np.array([residual])
    assert Objective("huber", delta).value(at) <= Objective("squared").value(at) * (1 + 1e-12)


@pytest.mark.parametrize("delta", [0.0, -1e-3, float("nan"), float("inf")])
def test_a_threshold_that_is_no_threshold_is_refused(delta: float) -> None:
    with pytest.raises(InputError, match="delta must be positive and finite"):
        Objective("huber", delta)


def test_a_loss_nobody_knows_is_refused() -> None:
    with pytest.raises(InputError, match="loss must be robust, huber or squared, found 'l1'"):
        Objective("l1")  # type: ignore[arg-type]


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(InputError, match="scale must be log, linear or log1p, found 'decades'"):
        Objective(scale="decades")  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", ["log", "linear", "log1p"])
def test_a_shift_undoes_entering_and_the_unit_is_its_slope(scale: str) -> None:
    objective = Objective(scale=scale)  # type: ignore[arg-type]
    response = np.array([0.01, 0.7, 3.0, 40.0])
    target = response * 1.3 + 0.2
    moved = objective.shift(response, objective.enter(target) - objective.enter(response))
    np.testing.assert_allclose(moved, target, rtol=1e-13)
    h = 1e-6
    slope = (objective.shift(response, h * np.ones(4)) - response) / h
    np.testing.assert_allclose(slope, objective.unit(response) * np.ones(4), rtol=1e-5)


def test_log1p_is_the_log_of_one_plus_the_response() -> None:
    measured, predicted = np.array([0.0, 1.0]), np.array([np.e - 1, 3.0])
    scale = Objective("squared", scale="log1p")
    np.testing.assert_allclose(scale.enter(predicted) - scale.enter(measured), [1.0, np.log(2)])
