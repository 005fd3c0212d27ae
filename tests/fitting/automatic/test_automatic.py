"""`--law auto`: curves are continued, in any order, and its intervals cover what comes."""

import json

import numpy as np
import pytest

from isoflop.base.errors import InputError, UnderdeterminedError
from isoflop.cli.main import run
from isoflop.fitting.automatic.automatic import fit_automatic
from isoflop.fitting.automatic.curve import take_curve
from isoflop.fitting.automatic.trend import DAMPINGS, NOISES, ROUGHNESSES, _log_prior, infer_trend
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.saved import read_fit, write_fit
from isoflop.fitting.trials.backtest import backtest
from isoflop.runs.table import RunTable

TOKENS = np.logspace(6, 9, 40)


def sigmoid_curve(x: np.ndarray) -> np.ndarray:
    """An error rate that starts at one, then falls as x^-.35 towards .12; no form of auto's."""
    return 0.12 + 0.88 / (1 + (x / 3e7)) ** 0.35


@pytest.mark.parametrize("limit", [0.0, 1.8])
def test_a_curve_that_follows_a_formula_is_continued_by_it(limit):
    x = np.logspace(6, 9, 30)
    loss = limit + 20 / x**0.2
    found = fit_automatic(x, loss).predict(np.array([2e9, 1e10]))
    expected = limit + 20 / np.array([2e9, 1e10]) ** 0.2
    np.testing.assert_allclose(found.value, expected, rtol=3e-3)
    assert (found.low <= expected).all()
    assert (expected <= found.high).all()


def test_a_pure_power_law_has_its_exponent_back_and_all_the_weight():
    fit = fit_automatic(TOKENS, 20 / TOKENS**0.1)
    assert fit.params["exponent"].value == pytest.approx(0.1, abs=1e-4)
    assert fit.weights["power-constant"] > 0.99
    assert sum(fit.weights.values()) == pytest.approx(1)


def test_a_sigmoid_whose_slope_still_changes_is_not_taken_for_a_formula():
    fit = fit_automatic(TOKENS, sigmoid_curve(TOKENS))
    assert fit.weights["power-constant"] < 0.01
    later = np.array([2e9, 4e9])
    np.testing.assert_allclose(fit.predict(later).value, sigmoid_curve(later), rtol=0.03)


def test_order_and_duplicates_change_nothing():
    rng = np.random.default_rng(0)
    loss = sigmoid_curve(TOKENS) * np.exp(rng.normal(0, 0.01, len(TOKENS)))
    rows = rng.permutation(np.repeat(np.arange(len(TOKENS)), 3))
    expected = fit_automatic(TOKENS, loss).predict(2e9)
    found = fit_automatic(TOKENS[rows], loss[rows]).predict(2e9)
    np.testing.assert_allclose(found.value, expected.value, rtol=1e-10)
    np.testing.assert_allclose(found.high, expected.high, rtol=1e-10)


def coverage(curves: int, make) -> float:
    inside = []
    for seed in range(curves):
        x, loss, later, measured = make(np.random.default_rng(seed))
        found = fit_automatic(x, loss).predict(later)
        inside.append(np.mean((found.low <= measured) & (measured <= found.high)))
    return float(np.mean(inside))


def test_intervals_cover_single_later_records_of_noisy_curves():
    def make(rng):
        later = np.linspace(1e9, 2e9, 40)
        noisy = [sigmoid_curve(x) * np.exp(rng.normal(0, 0.01, len(x))) for x in (TOKENS, later)]
        return TOKENS, noisy[0], later, noisy[1]

    assert 0.82 <= coverage(30, make) <= 0.99


def test_intervals_know_that_thinned_points_are_means_and_new_records_are_noisier():
    def make(rng):
        steps = np.arange(1, 1601) * 4e6
        records = sigmoid_curve(steps) * np.exp(rng.normal(0, 0.03, len(steps)))
        ends = np.unique(np.round(np.geomspace(1, 800, 60)).astype(int))
        starts = np.concatenate([[0], ends[:-1]])
        parts = list(zip(starts, ends, strict=True))
        x = np.array([steps[b - 1] for _, b in parts])
        loss = np.array([np.exp(np.log(records[a:b]).mean()) for a, b in parts])
        return x, loss, steps[800:], records[800:]

    assert 0.82 <= coverage(30, make) <= 0.99
    x, loss, _, _ = make(np.random.default_rng(0))
    fit = fit_automatic(x, loss)
    assert fit.params["noise"].value == pytest.approx(0.03, rel=0.4)
    assert "averaged-points" in {finding.code for finding in fit.findings}


def test_evenly_spaced_points_are_records():
    for x in (np.geomspace(1, 1e3, 200), np.linspace(1, 1e3, 200), 2.0 ** np.arange(10)):
        assert take_curve(x, 1 / x).stands_for == pytest.approx(1)


def dense_reference(u, y, noise, slope, later):
    """The same posterior by plain Gaussian conditioning, one grid point after the other.

    The wandering's covariance by quadrature of its definition, level and slope with a variance
    of 1e6 instead of a flat prior.
    """
    z, ahead = u - u[0], later - u[0]
    every = np.concatenate([z, ahead])
    n, log_weights, means, variances = len(z), [], [], []
    for k in DAMPINGS:
        grid = (np.arange(4000) + 0.5) * every.max() / 4000
        gap = np.maximum(every[:, None] - grid, 0.0)
        response = -np.expm1(-k * gap) / k
        wander = response @ response.T * (every.max() / 4000)
        line = np.stack([np.ones_like(every), -np.expm1(-k * every) / k], axis=1)
        for rough in ROUGHNESSES:
            for sd in NOISES:
                prior = 1e6 * line @ line.T + (rough * slope) ** 2 * wander
                total = prior[:n, :n] + sd**2 * np.diag(noise)
                solved = np.linalg.solve(total, np.column_stack([y, prior[:n, n:]]))
                log_weights.append(
                    -0.5 * np.linalg.slogdet(total)[1]
                    - 0.5 * y @ solved[:, 0]
                    + float(_log_prior(k, np.array([rough]), np.array([sd]), slope)[0])
                )
                means.append(prior[n:, :n] @ solved[:, 0])
                variances.append(np.diag(prior[n:, n:] - prior[n:, :n] @ solved[:, 1:]))
    weight = np.exp(np.array(log_weights) - max(log_weights))
    weight /= weight.sum()
    mean = weight @ np.array(means)
    return mean, weight @ (np.array(variances) + (np.array(means) - mean) ** 2)


def test_the_trend_is_what_plain_gaussian_conditioning_gives(monkeypatch):
    for name in ("DAMPINGS", "ROUGHNESSES", "NOISES"):  # a coarser grid, or the loop is long
        values = globals()[name][1::3]
        monkeypatch.setattr(f"isoflop.fitting.automatic.trend.{name}", values)
        monkeypatch.setitem(globals(), name, values)
    x = np.geomspace(1e8, 7e8, 9)
    loss = sigmoid_curve(x) * np.exp(np.random.default_rng(1).normal(0, 0.02, 9))
    end = take_curve(x, loss).end
    later = np.log([1e9, 2e9])
    mean, variance = infer_trend(end).predict(later)
    expected = dense_reference(end.u, end.y, end.noise, end.slope, later)
    np.testing.assert_allclose(mean, expected[0], rtol=2e-4)
    np.testing.assert_allclose(variance, expected[1], rtol=5e-3)


def test_thousands_of_points_are_joined():
    x = np.linspace(1e6, 1e9, 8000)
    fit = fit_automatic(x, sigmoid_curve(x))
    assert len(fit.curve.u) <= 120
    assert fit.predict(2e9).value[0] == pytest.approx(sigmoid_curve(2e9), rel=0.01)


def test_a_saved_fit_reads_back_to_the_bit(tmp_path):
    fit = fit_automatic(TOKENS, sigmoid_curve(TOKENS), over="n_tokens", level=0.8, seed=3)
    again = read_fit(write_fit(fit, tmp_path / "auto.json"))
    assert again.to_dict() == fit.to_dict()
    np.testing.assert_array_equal(again.predict(3e9).high, fit.predict(3e9).high)


def test_a_curve_that_has_stopped_falling_is_told():
    loss = np.maximum(20 / TOKENS**0.2, 0.7) * np.exp(
        np.random.default_rng(0).normal(0, 0.01, len(TOKENS))
    )
    assert "flat-end" in {finding.code for finding in fit_automatic(TOKENS, loss).findings}


@pytest.mark.parametrize(
    ("x", "loss", "words"),
    [
        ([1.0, 2, 3, 4], [4.0, 3, 2, 1], "4 distinct"),
        ([1.0] * 9, [1.0] * 9, "1 distinct"),
        ([1.0, 2, 3, 4, 5], [4.0, 3, 2, 1, 0], "positive"),
        ([1.0, 2, 3, 4, 5], [4.0, 3, 2, 1, np.nan], "positive"),
        ([1.0, 2, 3], [4.0, 3], "one length"),
    ],
)
def test_what_is_no_curve_is_refused(x, loss, words):
    with pytest.raises(InputError, match=words):
        fit_automatic(np.array(x), np.array(loss))


def test_a_variable_that_hardly_varies_is_refused():
    with pytest.raises(UnderdeterminedError):
        fit_automatic(1e9 + np.arange(8.0), np.linspace(3, 2, 8))


def test_it_continues_and_does_not_look_back():
    with pytest.raises(InputError, match="continues a curve"):
        fit_automatic(TOKENS, sigmoid_curve(TOKENS)).predict(1e6)


def test_a_backtest_hides_the_later_half_and_scores_it():
    rng = np.random.default_rng(0)
    loss = sigmoid_curve(TOKENS) * np.exp(rng.normal(0, 0.01, len(TOKENS)))
    rows = [{"n_tokens": a, "loss": b} for a, b in zip(TOKENS, loss, strict=True)]
    table = RunTable.from_records(rows)
    spec = FitSpec(level=0.8)
    found = backtest(table, "auto", over="n_tokens", by="n_tokens", spec=spec).to_dict()
    fitted = np.max(TOKENS) > 2 * TOKENS
    foreseen = fit_automatic(TOKENS[fitted], loss[fitted], level=0.8).predict(TOKENS[~fitted])
    miss = np.log(foreseen.value / loss[~fitted])
    assert (found["n_train"], found["n_test"]) == (int(fitted.sum()), int((~fitted).sum()))
    assert found["rmsle"] == pytest.approx(np.sqrt(np.mean(miss**2)))
    assert found["level"] == 0.8
    with pytest.raises(InputError, match="leaves 40 rows to fit and 0"):
        backtest(table, "auto", over="n_tokens", by="n_tokens", cut=2e9)
    with pytest.raises(InputError, match="its own variable"):
        backtest(table, "auto", over="n_tokens", by="n_params", cut=2e8)


def test_the_command_line_fits_predicts_and_backtests(tmp_path, capsys):
    curve, saved = tmp_path / "curve.csv", tmp_path / "auto.json"
    rows = [
        f"{a!r},{b!r}" for a, b in zip(TOKENS.tolist(), sigmoid_curve(TOKENS).tolist(), strict=True)
    ]
    curve.write_text("\n".join(["n_tokens,loss", *rows]))
    auto = ["--law", "auto", "--over", "n_tokens"]
    assert run(["fit", str(curve), *auto, "-o", str(saved), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    keys = {"law", "method", "n_runs", "objective", "params", "derived", "outcome", "findings"}
    assert keys | {"data", "weights"} <= set(document)
    assert sum(document["weights"].values()) == pytest.approx(1)
    assert run(["predict", "--law", str(saved), "--n-tokens", "2e9", "--json"]) == 0
    loss = json.loads(capsys.readouterr().out)["loss"]
    assert loss["low"] < sigmoid_curve(2e9) < loss["high"]
    assert loss["value"] == pytest.approx(document["derived"]["loss_x2"]["value"])
    assert run(["backtest", str(curve), *auto, "--cut", "5e8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rmsle"] < 0.02
    assert run(["plan", "--law", str(saved), "--flops", "1e20"]) == 2
    assert "cannot split a budget" in capsys.readouterr().err
