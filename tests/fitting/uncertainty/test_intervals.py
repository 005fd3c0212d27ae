"""What the noise of a fit is taken for, and the theory its intervals must agree with."""

import json

import numpy as np
import pytest
from planted import table_of
from scipy.stats import f as f_distribution
from scipy.stats import t as student

import isoflop
from isoflop.base.errors import InputError
from isoflop.cli.main import run
from isoflop.exchange.run_tables import write_runs
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.solve.solver import Problem, minimise
from isoflop.fitting.uncertainty.components import split_noise
from isoflop.fitting.uncertainty.intervals import ESTIMATORS
from isoflop.fitting.uncertainty.noise import profile_noise
from isoflop.fitting.uncertainty.tangent import carry, touch
from isoflop.laws.power import PowerConstantLaw, PowerLaw
from isoflop.runs.table import RunTable

C = np.geomspace(1e17, 1e22, 40)
X = np.column_stack([np.ones(40), -np.log(C)])
"""The power law in logs is a straight line in these: log L = log A − alpha·log C."""


def power_table(noise: np.ndarray, **columns: np.ndarray) -> RunTable:
    return table_of(flops=C, loss=60 * C**-0.07 * np.exp(noise), **columns)


def fit(table: RunTable, interval: str, **more):
    spec = FitSpec(Objective("squared"), 2000, n_starts=4, interval=interval, **more)  # type: ignore[arg-type]
    return fit_parametric(table, PowerLaw("flops"), spec)


def straight_line(noise: np.ndarray):
    """Least squares by hand: residuals, (XᵀX)⁻¹, leverages."""
    beta, *_ = np.linalg.lstsq(X, noise, rcond=None)
    inverse = np.linalg.inv(X.T @ X)
    return noise - X @ beta, inverse, np.einsum("np,pq,nq->n", X, inverse, X)


NOISE = 0.005 * np.random.default_rng(0).standard_normal(40)


def test_wald_is_the_textbook_interval_of_a_regression() -> None:
    residuals, inverse, _ = straight_line(NOISE)
    error = np.sqrt(residuals @ residuals / 38 * inverse[1, 1])
    found = fit(power_table(NOISE), "wald")
    # the solver steps in log alpha
    assert np.sqrt(found.covariance[1, 1]) * found.theta[1] == pytest.approx(error, rel=1e-6)
    half = student.ppf(0.95, 38) * error
    assert found.params["alpha"].half_width == pytest.approx(half, rel=0.03)


def test_hc3_is_the_sandwich_of_mackinnon_and_white() -> None:
    noise = NOISE * np.geomspace(3, 0.3, 40)
    residuals, inverse, leverage = straight_line(noise)
    meat = X.T @ np.diag((residuals / (1 - leverage)) ** 2) @ X
    error = np.sqrt((inverse @ meat @ inverse)[1, 1])
    found = fit(power_table(noise), "hc3")
    assert np.sqrt(found.covariance[1, 1]) * found.theta[1] == pytest.approx(error, rel=1e-6)


def test_the_group_test_is_the_f_test_of_nested_regressions() -> None:
    groups = np.repeat(np.arange(10), 4)
    noise = NOISE + 0.004 * np.random.default_rng(1).standard_normal(10)[groups]
    table = power_table(noise)
    problem = Problem(PowerLaw("flops"), {"flops": C}, table.numbers("loss"), Objective("squared"))
    theta = minimise(problem, np.array([[60.0, 0.07]]), np.ones(40)).theta[0]
    parts = split_noise(touch(problem, theta), [str(g) for g in groups])
    small, _, _ = straight_line(noise)
    both = np.column_stack([X, np.eye(10)[groups]])
    fitted = both @ np.linalg.lstsq(both, noise, rcond=None)[0]
    large = noise - fitted
    extra = np.linalg.matrix_rank(both) - 2
    freedom = 40 - 2 - extra
    ratio = ((small @ small - large @ large) / extra) / (large @ large / freedom)
    assert parts is not None
    assert parts.p_value == pytest.approx(f_distribution.sf(ratio, extra, freedom), rel=1e-6)
    assert (parts.between_freedom, parts.within_freedom) == (extra, freedom)


def test_runs_of_their_own_are_no_groups() -> None:
    problem = Problem(PowerLaw("flops"), {"flops": C}, 60 * C**-0.07 * np.exp(NOISE))
    tangent = touch(problem, np.array([60.0, 0.07]))
    assert split_noise(tangent, [str(k) for k in range(40)]) is None
    assert split_noise(tangent, ["one"] * 40) is None


def test_the_noise_profile_finds_the_power_of_the_loss() -> None:
    powers = []
    for seed in range(60):
        z = np.random.default_rng(seed).standard_normal(40)
        mean = 60 * C**-0.07
        problem = Problem(
            PowerLaw("flops"), {"flops": C}, mean * np.exp(0.01 * z * mean**3), Objective("squared")
        )
        theta = minimise(problem, np.array([[60.0, 0.07]]), np.ones(40)).theta[0]
        profile = profile_noise(touch(problem, theta))
        powers.append(profile.power)
    assert np.mean(powers) == pytest.approx(3.0, abs=0.3)


def test_a_draw_is_carried_to_the_law_nearest_to_its_point_of_the_plane() -> None:
    law = PowerConstantLaw("flops")
    truth = np.array([1.7, 60.0, 0.1])
    names = law.parameter_names
    theta = np.array([{"E": 1.7, "A": 60.0, "alpha": 0.1}[name] for name in names])
    assert set(theta) == set(truth)
    problem = Problem(law, {"flops": C}, law.predict(theta, {"flops": C}) * np.exp(NOISE))
    problem = Problem(law, {"flops": C}, problem.measured, Objective("squared"))
    theta = minimise(problem, theta[None], np.ones(40)).theta[0]
    tangent = touch(problem, theta)
    step = 2.0 * np.linalg.cholesky(tangent.variance * tangent.gram_inverse)[:, 0]
    carried = carry(tangent, step[None])
    point = law.predict(theta, {"flops": C}) * np.exp(tangent.jacobian @ step)
    refit = Problem(law, {"flops": C}, point, Objective("squared"))
    nearest = minimise(refit, theta[None], np.ones(40)).theta
    assert carried == pytest.approx(nearest, rel=1e-3)
    tiny = carry(tangent, 1e-4 * step[None])
    assert np.log(tiny[0, 1] / theta[1]) == pytest.approx(1e-4 * step[1], rel=1e-2)


def test_draws_stay_within_bounds() -> None:
    spec = FitSpec(Objective("squared"), 400, n_starts=8)
    found = fit_parametric(power_table(NOISE), PowerConstantLaw("flops"), spec)  # E is 0 in truth
    low = [parameter.low for parameter in found.law.parameters]
    assert (found.draws >= low).all()
    assert np.isfinite(found.draws).all()


def test_the_choice_and_its_evidence_are_on_the_card_and_in_the_file(tmp_path, capsys) -> None:
    groups = np.repeat(np.arange(10), 4)
    noise = 0.3 * NOISE + 0.01 * np.random.default_rng(1).standard_normal(10)[groups]
    rows = power_table(noise).records()
    for row, group in zip(rows, groups, strict=True):
        row["family"] = f"rung {group}"
    path = write_runs(RunTable.from_records(rows), tmp_path / "runs.csv")
    options = ["--law", "power", "--over", "flops", "--bootstrap", "100"]
    assert run(["fit", str(path), *options]) == 0
    assert "intervals: cluster by family, because ICC 0." in capsys.readouterr().out
    assert run(["fit", str(path), *options, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["interval"]["estimator"] == "cluster"
    assert document["interval"]["evidence"]["icc_p"] < 0.001
    assert run(["fit", str(path), *options, "--interval", "wald"]) == 0
    assert "intervals: wald, as asked" in capsys.readouterr().out


@pytest.mark.parametrize("interval", sorted({*ESTIMATORS} - {"cluster", "cluster-bootstrap"}))
def test_every_interval_is_about_as_wide_on_plain_noise(interval: str) -> None:
    plain = fit(power_table(NOISE), "wald").params["alpha"].half_width
    assert fit(power_table(NOISE), interval).params["alpha"].half_width == pytest.approx(
        plain, rel=0.35
    )


def test_groups_are_needed_where_they_are_asked_for() -> None:
    with pytest.raises(InputError, match="needs groups of runs; name their column"):
        fit(power_table(NOISE), "cluster")
    with pytest.raises(InputError, match=r"did you mean wald\?"):
        FitSpec(interval="walt")  # type: ignore[arg-type]


def test_noise_that_follows_the_loss_weighs_the_runs_and_the_future() -> None:
    mean = 60 * C**-0.07
    noise = 0.02 * (mean / mean.mean()) ** 3 * np.random.default_rng(2).standard_normal(40)
    found = fit_parametric(power_table(noise), PowerLaw("flops"), FitSpec(n_resamples=400))
    assert found.interval.estimator == "hc3"
    assert found.noise_power == pytest.approx(3, abs=1.5)
    (early,) = isoflop.predict_loss(found, {"flops": np.array([1e17])})
    (late,) = isoflop.predict_loss(found, {"flops": np.array([1e22])})
    assert early.half_width / early.value > 3 * late.half_width / late.value


def test_groups_of_uneven_noise_get_the_cluster_sandwich() -> None:
    groups = np.repeat(np.arange(10), 4)
    shared = 0.01 * np.random.default_rng(1).standard_normal(10)[groups]
    noise = (NOISE + shared) * np.geomspace(3, 0.3, 40)
    residuals, inverse, leverage = straight_line(noise)
    scores = X * (residuals / (1 - leverage))[:, None]
    totals = np.array([scores[groups == g].sum(axis=0) for g in range(10)])
    error = np.sqrt((inverse @ totals.T @ totals @ inverse)[1, 1] * 10 / 9)
    rows = power_table(noise).records()
    for row, group in zip(rows, groups, strict=True):
        row["family"] = f"rung {group}"
    found = fit(RunTable.from_records(rows), "auto")
    assert "a sandwich, because the noise goes as loss^" in str(found.interval)
    assert np.sqrt(found.covariance[1, 1]) * found.theta[1] == pytest.approx(error, rel=1e-6)


def test_sizes_read_off_a_figure_are_one_group() -> None:
    sizes = np.repeat(np.geomspace(1e7, 1e9, 8), 5)
    blurred = sizes * (1 + 1e-6 * np.random.default_rng(0).standard_normal(40))
    offsets = np.repeat(np.random.default_rng(1).normal(0, 0.01, 8), 5)
    table = power_table(0.2 * NOISE + offsets, n_params=blurred)
    found = fit(table, "auto")
    assert found.interval.cluster == "n_params"
    assert found.n_units == 8


def test_many_runs_with_heavy_tails_are_resampled() -> None:
    rng = np.random.default_rng(3)
    x = np.geomspace(1e17, 1e22, 200)
    noise = 0.003 * rng.standard_t(2, 200)
    table = table_of(flops=x, loss=60 * x**-0.07 * np.exp(noise))
    spec = FitSpec(n_resamples=50, n_starts=4)
    found = fit_parametric(table, PowerLaw("flops"), spec).interval
    assert found.estimator == "case"
    assert found.reason.startswith("because 200 runs have heavy tails, excess kurtosis")
    grouped = table_of(flops=x, loss=table.numbers("loss"), n_params=np.repeat(range(1, 51), 4))
    by_size = fit_parametric(grouped, PowerLaw("flops"), spec).interval
    assert (by_size.estimator, by_size.cluster) == ("cluster-bootstrap", "n_params")
