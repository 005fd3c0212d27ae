"""What every law must keep: shapes, exact derivatives, starts within bounds."""

from typing import Any

import numpy as np
import pytest

from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.forms import JOINT_FORMS, SINGLE_FORMS
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.kaplan import KaplanTokensConstantLaw, KaplanTokensLaw
from isoflop.laws.law import AbstractLaw, Array
from isoflop.laws.repeated import RepeatedLaw

LAWS: dict[str, AbstractLaw] = {
    **JOINT_FORMS,
    **{name: form("n_tokens") for name, form in SINGLE_FORMS.items()},
    RepeatedLaw.name: RepeatedLaw(),
    GrowthLaw.name: GrowthLaw("flops"),
}

POINTS: dict[str, list[list[float]]] = {
    "power": [[20.0, 0.095], [400.0, 0.5]],
    "power-constant": [[1.7, 410.0, 0.28], [0.4, 30.0, 0.1]],
    "growth": [[3.2e-6, 0.73], [4.0e9, -0.2]],
    "chinchilla": [[1.8172, 482.01, 2085.43, 0.3478, 0.3658], [1.69, 406.4, 410.7, 0.34, 0.28]],
    "kaplan-nd": [[0.076, 0.103, 6.4e13, 1.8e13], [0.3, 0.25, 2e9, 3e10]],
    "kaplan-nd-constant": [[1.2, 0.2, 0.3, 6e10, 2e11], [0.5, 0.076, 0.103, 6.4e13, 1.8e13]],
    "kaplan-ns": [[0.077, 0.76, 6.5e13, 2.1e3], [0.2, 0.5, 1e11, 5e2]],
    # The second has a small N_opt, so that every run has idle parameters.
    "repeated": [
        [1.87, 521.0, 1488.0, 0.3527, 0.3527, 15.39, 5.31],
        [1.5, 200.0, 9000.0, 0.32, 0.4, 4.0, 2.0],
    ],
}

COLUMNS: dict[str, Array] = {
    "n_params": np.array([3e7, 4e8, 6.34e9, 7e10]),
    "n_tokens": np.array([4e9, 9e10, 2.42e11, 1.4e12]),
    "n_tokens_unique": np.array([4e9, 2e10, 2.5e10, 2e12]),
    "flops": np.array([1e17, 1e19, 3e21, 6e23]),
    "steps": np.array([2e3, 1e4, 8e4, 5e5]),
}


@pytest.fixture(params=sorted(LAWS))
def law(request: pytest.FixtureRequest) -> AbstractLaw:
    return LAWS[request.param]


def columns_of(law: AbstractLaw) -> dict[str, Array]:
    return {name: COLUMNS[name] for name in law.variables}


def thetas_of(law: AbstractLaw) -> Array:
    """Printed constants and strangers to them, (2, 3, n_parameters)."""
    points = np.array(POINTS[law.name])
    steps = np.random.default_rng(7).uniform(0.9, 1.1, (3, points.shape[-1]))
    return points[:, None, :] * np.concatenate([np.ones_like(steps[:1]), steps[1:]])


def differentiate(law: AbstractLaw, theta: Array, columns: dict[str, Array]) -> Array:
    """Complex-step derivative, exact to rounding."""
    slopes = []
    for k in range(theta.shape[-1]):
        step = 1e-30 * np.abs(theta[..., k])
        shifted: Any = theta.astype(np.complex128)
        shifted[..., k] += 1j * step
        slopes.append(law.predict(shifted, columns).imag / step[..., None])
    return np.stack(slopes, axis=-1)


def test_every_form_has_points_to_be_checked_at() -> None:
    assert set(POINTS) == set(LAWS)


def test_one_parameter_vector_gives_one_loss_a_run(law: AbstractLaw) -> None:
    theta = thetas_of(law)[0, 0]
    assert law.predict(theta, columns_of(law)).shape == (4,)
    assert law.gradient(theta, columns_of(law)).shape == (4, len(law.parameters))


def test_batched_parameter_vectors_give_what_each_gives_alone(law: AbstractLaw) -> None:
    thetas, columns = thetas_of(law), columns_of(law)
    together = law.predict(thetas, columns)
    slopes = law.gradient(thetas, columns)
    assert together.shape == (2, 3, 4)
    assert slopes.shape == (2, 3, 4, len(law.parameters))
    for index in np.ndindex(2, 3):
        np.testing.assert_array_equal(together[index], law.predict(thetas[index], columns))
        np.testing.assert_allclose(slopes[index], law.gradient(thetas[index], columns), rtol=1e-14)


def test_gradient_equals_the_complex_step(law: AbstractLaw) -> None:
    thetas, columns = thetas_of(law), columns_of(law)
    expected = differentiate(law, thetas, columns)
    # Relative to what a parameter does over its own size: terms that vanish stay comparable.
    unit = np.abs(law.predict(thetas, columns))[..., None] / np.abs(thetas)[..., None, :]
    np.testing.assert_allclose(law.gradient(thetas, columns) / unit, expected / unit, atol=1e-12)


def test_prediction_is_positive_and_finite(law: AbstractLaw) -> None:
    predicted = law.predict(thetas_of(law), columns_of(law))
    assert np.isfinite(predicted).all()
    assert (predicted > 0).all()


def test_starts_lie_within_bounds(law: AbstractLaw) -> None:
    columns = columns_of(law)
    loss = law.predict(thetas_of(law)[0, 0], columns)
    starts = law.propose_starts(columns, loss, n_starts=50, rng=np.random.default_rng(0))
    assert starts.shape == (50, len(law.parameters))
    for k, parameter in enumerate(law.parameters):
        assert (starts[:, k] >= parameter.low).all(), parameter.name
        assert (starts[:, k] <= parameter.high).all(), parameter.name


def test_starts_predict_losses_of_the_right_size(law: AbstractLaw) -> None:
    columns = columns_of(law)
    loss = law.predict(thetas_of(law)[0, 0], columns)
    starts = law.propose_starts(columns, loss, n_starts=50, rng=np.random.default_rng(0))
    with np.errstate(over="ignore"):
        misses = np.abs(np.log(law.predict(starts, columns) / loss)).max(axis=-1)
    assert misses.min() < 0.5


def test_the_same_seed_draws_the_same_starts(law: AbstractLaw) -> None:
    columns = columns_of(law)
    loss = law.predict(thetas_of(law)[0, 0], columns)
    draws = [
        law.propose_starts(columns, loss, n_starts=5, rng=np.random.default_rng(3))
        for _ in range(2)
    ]
    np.testing.assert_array_equal(draws[0], draws[1])


def test_derived_quantities_have_one_value_a_parameter_vector(law: AbstractLaw) -> None:
    derived = law.derive(thetas_of(law))
    assert {name: np.shape(value) for name, value in derived.items()} == dict.fromkeys(
        derived, (2, 3)
    )


def test_form_names_every_variable_and_parameter_of_a_closed_formula(law: AbstractLaw) -> None:
    assert all(variable in law.form for variable in law.variables)
    if law.name != "repeated":  # its decays stand behind worth(...)
        assert all(name in law.form for name in law.parameter_names)


@pytest.mark.parametrize(
    ("law", "theta"),
    [
        (KaplanTokensLaw(), [0.076, 0.103, 6.4e13, 1.8e13]),
        (KaplanTokensConstantLaw(), [1.5, 0.24, 0.25, 5e8, 1.1e10]),
        (ChinchillaLaw(), [1.8172, 482.01, 2085.43, 0.3478, 0.3658]),
    ],
)
def test_the_closed_optimum_of_a_joint_law_is_where_its_loss_on_a_budget_is_lowest(law, theta):
    theta, flops = np.array(theta), 1e21
    closed = law.derive(theta)
    n_params = closed["G"] * (flops / 6) ** closed["a"]
    around = n_params * np.exp(np.linspace(-1e-3, 1e-3, 2001))
    loss = law.predict(theta, {"n_params": around, "n_tokens": flops / (6 * around)})
    assert abs(int(np.argmin(loss)) - 1000) <= 30
    assert closed["a"] + closed["b"] == pytest.approx(1)
