"""The contract every law keeps, as tests to inherit; runs under pytest, which it never imports.

A law of your own is checked by five lines in your tests::

    from isoflop.testing import LawCase, LawContract

    class TestMyLaw(LawContract):
        cases = [LawCase(MyLaw(), [[1.8, 480.0, 0.35]])]
"""

import inspect
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from isoflop.fitting.fit import Fit
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.saved import read_fit, write_fit
from isoflop.laws.described import describe_law, restore_law
from isoflop.laws.law import AbstractLaw, Array, Variables
from isoflop.runs.table import RunTable
from isoflop.testing.law_case import LawCase


class LawContract:
    """Tests of one law or several; subclass it as `TestSomething` and set `cases`."""

    cases: ClassVar[Sequence[LawCase]] = ()

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Run every test once a case, and recovery once a design."""
        if "design" in metafunc.fixturenames:
            pairs = [(case, name) for case in self.cases for name in case.ladders]
            ids = [f"{case.name}-{name}" for case, name in pairs]
            metafunc.parametrize(("case", "design"), pairs, ids=ids)
        elif "case" in metafunc.fixturenames:
            metafunc.parametrize("case", self.cases, ids=[case.name for case in self.cases])

    def test_parameters_are_named_once_with_units_and_bounds(self, case: LawCase) -> None:
        """Names are unique identifiers, units are text, bounds are finite and in order."""
        names = case.law.parameter_names
        assert len(set(names)) == len(names) > 0, names
        assert all(name.isidentifier() for name in names), names
        assert not set(names) & set(case.law.variables), "a constant has the name of a column"
        for parameter in case.law.parameters:
            assert isinstance(parameter.unit, str), parameter
            assert np.isfinite([parameter.low, parameter.high]).all(), parameter
            assert parameter.low < parameter.high, parameter
            assert parameter.scale in ("log", "linear"), parameter
            assert parameter.scale == "linear" or parameter.low > 0, parameter
        assert set(case.law.linear) <= set(names), case.law.linear

    def test_it_says_what_it_is(self, case: LawCase) -> None:
        """Name, source, response and formula are there; the formula names every column."""
        law = case.law
        assert law.name, "name: what it is called on the command line"
        assert law.name == law.name.lower().replace(" ", "-"), law.name
        assert law.source, "source: the paper and equation it comes from"
        assert law.response, "response: the column it predicts"
        assert all(variable in law.form for variable in law.variables), law.form
        assert set(_falling(law)) <= set(law.variables), law.falls_with

    def test_one_parameter_vector_gives_one_prediction_a_run(self, case: LawCase) -> None:
        """(p,) constants give (n,) predictions and an (n, p) gradient."""
        n_runs, n_parameters = _shape(case)
        assert case.theta.shape == (n_parameters,)
        assert case.law.predict(case.theta, case.points).shape == (n_runs,)
        assert case.law.gradient(case.theta, case.points).shape == (n_runs, n_parameters)

    def test_batched_parameter_vectors_give_what_each_gives_alone(self, case: LawCase) -> None:
        """(..., p) constants give (..., n) predictions and an (..., n, p) gradient."""
        n_runs, n_parameters = _shape(case)
        together = case.law.predict(case.batch, case.points)
        slopes = case.law.gradient(case.batch, case.points)
        assert together.shape == (*case.batch.shape[:-1], n_runs)
        assert slopes.shape == (*case.batch.shape[:-1], n_runs, n_parameters)
        for index in np.ndindex(*case.batch.shape[:-1]):
            alone = case.law.predict(case.batch[index], case.points)
            np.testing.assert_allclose(together[index], alone, rtol=1e-14)
            alone = case.law.gradient(case.batch[index], case.points)
            scale = np.abs(alone).max(axis=0)
            np.testing.assert_allclose(slopes[index] / scale, alone / scale, rtol=0, atol=1e-14)

    def test_gradient_equals_the_complex_step(self, case: LawCase) -> None:
        """∂prediction/∂constant is exact, compared relative to prediction / constant."""
        expected = complex_step(case.law, case.batch, case.points)
        found = case.law.gradient(case.batch, case.points)
        # Relative to what a constant does over its own size: terms that vanish stay comparable.
        unit = np.abs(case.law.predict(case.batch, case.points))[..., None]
        size = np.abs(case.batch)[..., None, :]
        unit = unit / np.where(size > 0, size, 1.0)
        np.testing.assert_allclose(found / unit, expected / unit, rtol=1e-9, atol=1e-12)

    def test_constants_called_linear_are(self, case: LawCase) -> None:
        """The gradient does not change with the constants the law calls linear."""
        places = [case.law.parameter_names.index(name) for name in case.law.linear]
        moved = case.theta.copy()
        moved[places] *= 1.7
        before = case.law.gradient(case.theta, case.points)[:, places]
        after = case.law.gradient(moved, case.points)[:, places]
        np.testing.assert_allclose(after, before, rtol=1e-12)

    def test_prediction_is_finite_and_positive_where_its_log_is_fitted(self, case: LawCase) -> None:
        """No overflow at published constants; losses are positive."""
        predicted = case.law.predict(case.batch, case.points)
        assert np.isfinite(predicted).all(), predicted
        assert case.law.residual_scale == "linear" or (predicted > 0).all(), predicted

    def test_what_should_fall_falls(self, case: LawCase) -> None:
        """Along every column of `falls_with`, more never raises the prediction."""
        for name in _falling(case.law):
            values = case.points[name]
            path = np.geomspace(values.min() / 10, values.max() * 10, 50)
            for run in range(len(values)):
                rest = {other: np.full(50, column[run]) for other, column in case.points.items()}
                predicted = case.law.predict(case.batch, {**rest, name: path})
                rises = np.diff(predicted, axis=-1) > 1e-12 * np.abs(predicted[..., 1:])
                assert not rises.any(), f"{case.name} rises with {name}"

    def test_starts_lie_within_bounds(self, case: LawCase) -> None:
        """50 starts, (50, p), finite and between low and high."""
        starts = _starts(case, 50)
        assert starts.shape == (50, len(case.law.parameters))
        assert np.isfinite(starts).all()
        for k, parameter in enumerate(case.law.parameters):
            assert (starts[:, k] >= parameter.low).all(), parameter.name
            assert (starts[:, k] <= parameter.high).all(), parameter.name

    def test_some_start_is_near_the_data(self, case: LawCase) -> None:
        """Of 50 starts one predicts every run within a factor of two."""
        if case.law.residual_scale == "linear":
            return
        measured = case.law.predict(case.theta, case.points)
        with np.errstate(all="ignore"):
            miss = np.abs(np.log(case.law.predict(_starts(case, 50), case.points) / measured))
        assert np.nanmin(miss.max(axis=-1)) < np.log(2)

    def test_the_same_seed_draws_the_same_starts(self, case: LawCase) -> None:
        """Starts depend on the generator and on nothing else."""
        np.testing.assert_array_equal(_starts(case, 5), _starts(case, 5))

    def test_derived_quantities_have_one_value_a_parameter_vector(self, case: LawCase) -> None:
        """(..., p) constants give (...) of every derived quantity."""
        shapes = {name: np.shape(value) for name, value in case.law.derive(case.batch).items()}
        assert shapes == dict.fromkeys(shapes, case.batch.shape[:-1])

    def test_planted_constants_are_recovered(self, case: LawCase, design: str) -> None:
        """A noise-free ladder of every shape gives back what was planted."""
        columns = case.ladders[design]
        fit = fit_planted(case, columns)
        found, planted = fit.theta, case.theta
        if case.recovers == "prediction":
            found, planted = (case.law.predict(t, columns) for t in (found, planted))
        np.testing.assert_allclose(found, planted, rtol=case.tolerance, atol=case.tolerance**2)

    def test_it_survives_json_to_the_last_bit(self, case: LawCase) -> None:
        """A law is rebuilt from its description; a saved fit reads back equal."""
        assert restore_law(describe_law(case.law)) == case.law
        if not case.ladders:
            return
        fit = fit_planted(case, next(iter(case.ladders.values())), n_resamples=3)
        with tempfile.TemporaryDirectory() as folder:
            read = read_fit(write_fit(fit, Path(folder) / "law.json"))
            again = write_fit(read, Path(folder) / "again.json")
            assert again.read_bytes() == (Path(folder) / "law.json").read_bytes()
        assert isinstance(read, Fit)
        assert read.law == fit.law
        np.testing.assert_array_equal(read.theta, fit.theta)
        np.testing.assert_array_equal(read.draws, fit.draws)


def check_law(case: LawCase) -> tuple[str, ...]:
    """Run the whole contract on one law without pytest, as in a notebook.

    Args:
        case: the law and constants to check it at.

    Returns:
        The names of the checks that passed.

    Raises:
        AssertionError: the first check that fails.

    >>> from isoflop.laws.power import PowerLaw
    >>> len(check_law(LawCase(PowerLaw("flops"), [[20.0, 0.095]]))) > 10
    True
    """
    contract, passed = LawContract(), []
    for name in (name for name in vars(LawContract) if name.startswith("test_")):
        check = getattr(contract, name)
        if "design" in inspect.signature(check).parameters:
            for design in case.ladders:
                check(case, design)
        else:
            check(case)
        passed.append(name.removeprefix("test_").replace("_", " "))
    return tuple(passed)


def complex_step(law: AbstractLaw, theta: Array, variables: Variables) -> Array:
    """Differentiate a law's prediction by a complex step, exact to rounding.

    Args:
        law: whose `predict` takes complex constants.
        theta: (..., p) float.
        variables: {column: (n_runs,) float}.

    Returns:
        (..., n_runs, p).
    """
    slopes = []
    for k in range(theta.shape[-1]):
        size = np.abs(theta[..., k])
        step = 1e-30 * np.where(size > 0, size, 1.0)
        shifted: Any = theta.astype(np.complex128)
        shifted[..., k] += 1j * step
        slopes.append(law.predict(shifted, variables).imag / step[..., None])
    return np.stack(slopes, axis=-1)


def fit_planted(case: LawCase, columns: Variables, *, n_resamples: int = 0) -> Fit:
    """Fit a case's law to its own noise-free predictions on a design."""
    table = plant(case, columns)
    return fit_parametric(table, case.law, FitSpec(Objective("squared"), n_resamples))


def plant(case: LawCase, columns: Variables) -> RunTable:
    """Make the run table a case's law predicts on a design."""
    with_response = {**columns, case.law.response: case.law.predict(case.theta, columns)}
    n_runs = len(with_response[case.law.response])
    table = RunTable.from_records([{"run": f"r{row}"} for row in range(n_runs)])
    for name, values in with_response.items():
        table = table.with_column(name, values)
    return table


def _falling(law: AbstractLaw) -> tuple[str, ...]:
    return law.variables if law.falls_with == "all" else law.falls_with


def _shape(case: LawCase) -> tuple[int, int]:
    return len(next(iter(case.points.values()))), len(case.law.parameters)


def _starts(case: LawCase, n_starts: int) -> Array:
    measured = case.law.predict(case.theta, case.points)
    rng = np.random.default_rng(3)
    return case.law.propose_starts(case.points, measured, n_starts=n_starts, rng=rng)
