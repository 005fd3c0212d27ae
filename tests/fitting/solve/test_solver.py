"""The batched solver against planted parameters and against scipy."""

import numpy as np
import pytest
from planted import (
    SURFACES,
    chinchilla,
    grid_design,
    isoflop_design,
    ladder_design,
    make_table,
    small_design,
    table_of,
)
from scipy.optimize import least_squares, minimize

from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric, pose_problem
from isoflop.fitting.solve import descent
from isoflop.fitting.solve.solver import Outcome, Problem, minimise
from isoflop.laws.broken import TwiceBrokenLaw
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.forms import find_form
from isoflop.laws.power import PowerConstantLaw, PowerLaw

DESIGNS = {
    "grid": grid_design,
    "isoflop": isoflop_design,
    "narrow": lambda theta: isoflop_design(theta, half_width=2.0),
    "wide": lambda theta: isoflop_design(theta, half_width=16.0),
    "off centre": lambda theta: isoflop_design(theta, off=1 / 3),
    "drift": lambda theta: isoflop_design(theta, drift=1 / 3),
    "small": small_design,
    "ladder": ladder_design,
}


def noisy_problem(kind: str = "huber", seed: int = 0, noise: float = 0.01) -> Problem:
    theta = SURFACES["epoch"]
    table = make_table(theta, *isoflop_design(theta, points=9), noise=noise, seed=seed)
    return pose_problem(table, ChinchillaLaw(), Objective(kind))  # type: ignore[arg-type]


def starts_for(problem: Problem, count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    loss = problem.measured
    return problem.law.propose_starts(problem.variables, loss, n_starts=count, rng=rng)


@pytest.mark.parametrize("kind", ["huber", "squared"])
@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("surface", SURFACES)
def test_planted_chinchilla_parameters_are_recovered_to_1e_8(
    surface: str, design: str, kind: str
) -> None:
    theta = SURFACES[surface]
    table = make_table(theta, *DESIGNS[design](theta))
    for seed in range(2):
        spec = FitSpec(Objective(kind), n_resamples=0, n_starts=16, seed=seed)  # type: ignore[arg-type]
        fit = fit_parametric(table, ChinchillaLaw(), spec)
        assert fit.theta == pytest.approx(theta, rel=1e-8)
        assert fit.outcome is Outcome.CONVERGED
        assert fit.objective_value < 1e-20


def blind_starts(count: int, seed: int) -> np.ndarray:
    """Starts drawn without a look at the data, log-uniform over what is published."""
    rng = np.random.default_rng(seed)
    E = rng.uniform(0.0, 4.0, count)
    coefficients = np.exp(rng.uniform(0.0, np.log(1e6), (count, 2)))
    exponents = np.exp(rng.uniform(np.log(0.01), np.log(2.0), (count, 2)))
    return np.column_stack([E, coefficients, exponents])


@pytest.mark.parametrize("kind", ["huber", "squared"])
@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("surface", SURFACES)
def test_every_one_of_twenty_blind_starts_recovers_the_planted_surface_to_1e_8(
    surface: str, design: str, kind: str
) -> None:
    theta = np.array(SURFACES[surface])
    N, D = DESIGNS[design](theta)
    runs = {"n_params": N, "n_tokens": D}
    problem = Problem(ChinchillaLaw(), runs, chinchilla(theta, N, D), Objective(kind))  # type: ignore[arg-type]
    found = minimise(problem, blind_starts(20, seed=7), np.ones(len(N)))
    assert found.converged.all()
    np.testing.assert_allclose(found.theta, np.tile(theta, (20, 1)), rtol=1e-8)


def test_the_constants_a_law_is_linear_in_do_not_matter_in_a_start() -> None:
    problem = noisy_problem("squared")
    starts = blind_starts(8, seed=0)
    absurd = starts.copy()
    absurd[:, :3] = [1e4, 1e30, 1e-12]
    ones = np.ones(problem.n_runs)
    sane, wild = minimise(problem, starts, ones), minimise(problem, absurd, ones)
    assert wild.objective == pytest.approx(sane.objective, rel=1e-9)


PLANTED = [
    ("power", "flops", (60.0, 0.07)),
    ("power", "n_params", (11.4, 0.076)),
    ("power-constant", "n_tokens", (1.7, 400.0, 0.3)),
    ("power-constant", "flops", (1.6, 2000.0, 0.15)),
    ("kaplan-nd", None, (0.076, 0.103, 6.4e13, 1.8e13)),
    ("kaplan-nd-constant", None, (1.2, 0.2, 0.3, 1e10, 1e11)),
    ("kaplan-nd-constant", None, (0.5, 0.3, 0.25, 1e9, 1e10)),
    ("kaplan-ns", None, (0.077, 0.76, 6.5e13, 2.1e3)),
]


def write_out(form: str, theta: tuple[float, ...], x: dict[str, np.ndarray], over: str | None):
    """The formula of a form, written out here."""
    N, D, S = x["n_params"], x["n_tokens"], x["steps"]
    if form == "power":
        return theta[0] / x[over or ""] ** theta[1]
    if form == "power-constant":
        return theta[0] + theta[1] / x[over or ""] ** theta[2]
    if form == "kaplan-ns":
        alpha_N, alpha_S, N_c, S_c = theta
        return (N_c / N) ** alpha_N + (S_c / S) ** alpha_S
    E, alpha_N, alpha_D, N_c, D_c = theta if len(theta) == 5 else (0.0, *theta)
    return E + ((N_c / N) ** (alpha_N / alpha_D) + D_c / D) ** alpha_D


@pytest.mark.parametrize("kind", ["huber", "squared"])
@pytest.mark.parametrize(("form", "over", "theta"), PLANTED)
def test_planted_parameters_of_every_other_form_are_recovered_to_1e_8(
    form: str, over: str | None, theta: tuple[float, ...], kind: str
) -> None:
    N, D = grid_design()
    columns = {"n_params": N, "n_tokens": D, "flops": 6 * N * D, "steps": D / 2**18}
    table = table_of(**columns, loss=write_out(form, theta, columns, over))
    spec = FitSpec(Objective(kind), n_resamples=0, n_starts=16)  # type: ignore[arg-type]
    fit = fit_parametric(table, find_form(form, over=over), spec)
    assert fit.theta == pytest.approx(theta, rel=1e-8)
    assert fit.outcome is Outcome.CONVERGED


@pytest.mark.parametrize("kind", ["huber", "squared"])
@pytest.mark.parametrize("seed", range(3))
def test_the_minimum_is_the_one_scipy_finds(kind: str, seed: int) -> None:
    problem = noisy_problem(kind, seed)
    found = minimise(problem, starts_for(problem, 16), np.ones(len(problem.measured)))
    best = int(np.argmin(found.objective))
    N, D = problem.variables["n_params"], problem.variables["n_tokens"]

    def residuals(phi: np.ndarray) -> np.ndarray:
        theta = (*np.exp(phi[:3]), phi[3], phi[4])
        return np.log(chinchilla(theta, N, D)) - np.log(problem.measured)

    # scipy's cost is ½·Σ C²·rho(r²/C²): for rho = huber and C = delta, our sum.
    start = np.array([*np.log(SURFACES["epoch"][:3]), *SURFACES["epoch"][3:]])
    robust = {"loss": "huber", "f_scale": 1e-3} if kind == "huber" else {}
    reference = least_squares(
        residuals, start, x_scale="jac", ftol=1e-15, xtol=1e-15, gtol=1e-15, **robust
    )
    assert found.objective[best] <= reference.cost * (1 + 1e-9)
    assert found.objective[best] == pytest.approx(reference.cost, rel=1e-4)
    E, A, B, alpha, beta = found.theta[best]
    there = residuals(np.array([np.log(E), np.log(A), np.log(B), alpha, beta]))
    assert found.objective[best] == pytest.approx(Objective(kind).value(there).sum(), rel=1e-12)  # type: ignore[arg-type]
    if kind == "squared":
        assert found.theta[best] == pytest.approx(
            [*np.exp(reference.x[:3]), *reference.x[3:]], rel=1e-4
        )


@pytest.mark.parametrize("kind", ["huber", "squared"])
def test_no_descent_is_left_where_the_solver_says_converged(kind: str) -> None:
    problem = noisy_problem(kind, seed=7, noise=0.02)
    ones = np.ones(len(problem.measured))
    found = minimise(problem, starts_for(problem, 12), ones)
    assert found.converged.all()

    def total(log_theta: np.ndarray) -> float:
        return float(problem.value(np.exp(log_theta)[None], ones[None])[0])

    for theta, value in zip(found.theta[:3], found.objective[:3], strict=True):
        options = {"maxiter": 400, "xatol": 1e-10, "fatol": 0}
        better = minimize(total, np.log(theta), method="Nelder-Mead", options=options)
        assert better.fun >= value * (1 - 1e-9)


def test_a_solver_cut_short_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descent, "MAX_ITERATIONS", 2)
    problem = noisy_problem()
    found = minimise(problem, starts_for(problem, 8), np.ones(len(problem.measured)))
    assert not found.converged.any()
    theta = SURFACES["epoch"]
    table = make_table(theta, *grid_design(), noise=0.01)
    fit = fit_parametric(table, ChinchillaLaw(), FitSpec(n_resamples=5))
    assert fit.outcome is Outcome.NOT_CONVERGED
    assert len(fit.draws) == 0  # resamples that did not converge are no resamples


@pytest.mark.parametrize("kind", ["huber", "squared"])
def test_a_batch_gives_what_its_rows_give_one_by_one(kind: str) -> None:
    problem = noisy_problem(kind, seed=3)
    starts = starts_for(problem, 6)
    weights = np.random.default_rng(0).integers(1, 3, (6, len(problem.measured))).astype(float)
    batch = minimise(problem, starts, weights)
    for row in range(6):
        alone = minimise(problem, starts[row : row + 1], weights[row])
        assert alone.objective[0] == pytest.approx(batch.objective[row], rel=1e-9)
        assert alone.theta[0] == pytest.approx(batch.theta[row], rel=1e-6)


def test_chunks_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = noisy_problem("squared")
    starts = blind_starts(7, seed=1)
    whole = minimise(problem, starts, np.ones(len(problem.measured)))
    monkeypatch.setattr(descent, "BATCH_CELLS", 2 * starts.shape[1] * len(problem.measured))
    parts = minimise(problem, starts, np.ones(len(problem.measured)))
    assert parts.objective.tobytes() == whole.objective.tobytes()
    assert parts.theta.tobytes() == whole.theta.tobytes()


@pytest.mark.parametrize("kind", ["huber", "squared"])
def test_a_weight_of_two_is_the_row_twice_and_of_zero_the_row_dropped(kind: str) -> None:
    theta = SURFACES["epoch"]
    N, D = isoflop_design(theta, points=9)
    noise = np.exp(0.01 * np.random.default_rng(1).standard_normal(len(N)))
    loss = chinchilla(theta, N, D) * noise
    times = np.random.default_rng(2).integers(0, 3, len(N))
    rows = np.repeat(np.arange(len(N)), times)

    def pose(rows: np.ndarray) -> Problem:
        table = table_of(n_params=N[rows], n_tokens=D[rows], loss=loss[rows])
        return pose_problem(table, ChinchillaLaw(), Objective(kind))  # type: ignore[arg-type]

    weighted = minimise(pose(np.arange(len(N))), np.array([theta]), times.astype(float))
    repeated = minimise(pose(rows), np.array([theta]), np.ones(len(rows)))
    assert weighted.objective[0] == pytest.approx(repeated.objective[0], rel=1e-10)
    assert weighted.theta[0] == pytest.approx(repeated.theta[0], rel=1e-6)


def test_no_solution_is_worse_than_its_start() -> None:
    problem = noisy_problem()
    ones = np.ones(len(problem.measured))
    starts = starts_for(problem, 32)
    found = minimise(problem, starts, ones)
    assert (found.objective <= problem.value(starts, np.ones((32, len(ones))))).all()


def test_a_start_that_overflows_is_left_alone_and_never_wins() -> None:
    C = np.geomspace(1e17, 1e22, 12)
    table = table_of(flops=C, loss=60 * C**-0.07)
    problem = pose_problem(table, PowerConstantLaw("flops"), Objective("squared"))
    starts = np.array([[1e4, 1e30, 1e-3], [1.0, 60.0, 0.07]])
    found = minimise(problem, starts, np.ones(12))
    assert np.isfinite(found.objective[1])
    assert found.objective[1] < 1e-3


def test_a_constant_that_the_runs_reject_rests_on_its_bound_and_says_so() -> None:
    C = np.geomspace(1e17, 1e22, 24)
    noise = np.exp(0.001 * np.random.default_rng(0).standard_normal(24))
    # Steeper at the end, as no law with a positive constant is.
    table = table_of(
        flops=C, loss=60 * C**-0.07 * noise * (C / 1e17) ** (-0.001 * np.log10(C / 1e17))
    )
    spec = FitSpec(Objective("huber"), n_resamples=0)
    fit = fit_parametric(table, PowerConstantLaw("flops"), spec)
    assert fit.outcome is Outcome.AT_BOUND
    assert fit.params["E"].value == 0.0
    without = fit_parametric(table, PowerLaw("flops"), spec)
    assert fit.objective_value == pytest.approx(without.objective_value, rel=1e-4)


def test_every_outcome_is_a_sentence() -> None:
    assert all(len(outcome.value.split()) > 5 for outcome in Outcome)


def test_residuals_on_a_linear_scale_give_ordinary_least_squares() -> None:
    x = np.array([1.0, 2.0, 4.0, 7.0, 11.0])
    loss = np.array([5.1, 3.9, 3.1, 2.7, 2.4])
    law = PowerConstantLaw("n_params")
    problem = Problem(law, {"n_params": x}, loss, Objective("squared", scale="linear"))
    starts = law.propose_starts(problem.variables, loss, n_starts=16, rng=np.random.default_rng(0))
    found = minimise(problem, starts, np.ones(5))
    expected = least_squares(lambda t: t[0] + t[1] * x ** -t[2] - loss, [2.0, 3.0, 0.5], xtol=1e-15)
    np.testing.assert_allclose(found.theta[np.argmin(found.objective)], expected.x, rtol=1e-6)
    np.testing.assert_allclose(found.objective.min(), expected.cost, rtol=1e-12)


@pytest.mark.parametrize("kind", ["huber", "squared"])
def test_many_studies_of_one_design_are_fitted_as_if_one_by_one(kind: str) -> None:
    studies = [noisy_problem(kind, seed) for seed in range(4)]
    losses = np.stack([study.measured for study in studies])
    together = Problem(studies[0].law, studies[0].variables, losses, studies[0].objective)
    weights = np.random.default_rng(0).integers(1, 3, losses.shape).astype(float)
    starts = np.repeat(np.array([SURFACES["epoch"]]), 4, axis=0)
    batch = minimise(together, starts, weights)
    assert batch.converged.all()
    for row, study in enumerate(studies):
        alone = minimise(study, starts[row : row + 1], weights[row])
        assert batch.objective[row] == pytest.approx(alone.objective[0], rel=1e-9)
        assert batch.theta[row] == pytest.approx(alone.theta[0], rel=1e-6)


def test_breaks_come_out_in_the_order_of_their_places() -> None:
    law, x = TwiceBrokenLaw("n_tokens"), np.geomspace(1e5, 1e12, 60)
    planted = np.array([0.3, 60.0, 0.2, 0.3, 1e7, 0.3, -0.2, 3e9, 0.5])
    loss = law.predict(planted, {"n_tokens": x})
    problem = Problem(law, {"n_tokens": x}, loss, Objective("squared"))
    swapped = planted[[0, 1, 2, 6, 7, 8, 3, 4, 5]] * 1.02
    found = minimise(problem, np.array([swapped, planted * 1.02]), np.ones(60))
    np.testing.assert_allclose(found.theta, np.tile(planted, (2, 1)), rtol=1e-6)
