"""Which run next: against refits with that run added, and the words of the command."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import isoflop
from isoflop.base.errors import RunTableError, UnknownNameError
from isoflop.cli.main import app
from isoflop.plan.design.candidates import read_candidates
from isoflop.plan.design.knowledge import know
from isoflop.runs.table import RunTable

THETA = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658])


def _grid(noise: float = 0.005, seed: int = 0) -> RunTable:
    rng = np.random.default_rng(seed)
    law = isoflop.find_form("chinchilla")
    records: list[dict[str, float]] = []
    for c in np.geomspace(1e18, 1e20, 5):
        best = isoflop.plan_budget("besiroglu-2024", float(c)).n_params.value
        for n in best * np.geomspace(1 / 4, 4, 7):
            records.append({"n_params": float(n), "n_tokens": float(c / 6 / n), "flops": float(c)})
    for record in records:
        at = {name: np.array([record[name]]) for name in ("n_params", "n_tokens")}
        record["loss"] = float(law.predict(THETA, at)[0] * np.exp(noise * rng.standard_normal()))
    return RunTable.from_records(records)


@pytest.fixture(scope="module")
def fitted():
    return isoflop.fit(_grid(), law="chinchilla", spec=isoflop.FitSpec(seed=1))


def _offers(**prices: list[float]) -> RunTable:
    sizes, tokens = [1e8, 1e8, 3e9], [1e10, 4e11, 1e10]
    records = [
        {"n_params": n, "n_tokens": d, **{name: column[k] for name, column in prices.items()}}
        for k, (n, d) in enumerate(zip(sizes, tokens, strict=True))
    ]
    return RunTable.from_records(records)


def test_reduction_is_that_of_the_covariance_with_the_run_added(fitted):
    known = know(fitted)
    known = type(known)(**{**vars(known), "thetas": known.thetas[:1]})
    found = isoflop.rank_next_runs(known, 1e22, candidates=_offers(), goal="loss")
    offers = read_candidates(_offers(), known)
    slopes = offers.slopes(known, known.thetas[0])
    from isoflop.plan.design.forecast import forecast_optimum

    goal = forecast_optimum(known.law, known.thetas, 1e22).slopes[0, 0]
    before = goal @ np.linalg.solve(known.information, goal)
    for k in range(3):
        after = goal @ np.linalg.solve(known.information + np.outer(slopes[k], slopes[k]), goal)
        run = next(
            r
            for r in found.runs
            if (r.n_params, r.n_tokens) == (offers.n_params[k], offers.n_tokens[k])
        )
        assert run.reduction.value == pytest.approx(1 - after / before, rel=1e-6)


def test_order_is_by_variance_per_price(fitted):
    found = isoflop.rank_next_runs(
        fitted, 1e22, candidates=_offers(gpu_hours=[10.0, 1e6, 20.0]), price="gpu_hours"
    )
    worth = [run.reduction.value / run.price for run in found.runs]
    assert worth == sorted(worth, reverse=True)
    assert found.runs[-1].price == 1e6
    assert found.unit == "gpu_hours"


def test_says_when_another_run_does_not_help():
    many = [record for seed in range(40) for record in _grid(seed=seed).records()]
    rich = isoflop.fit(RunTable.from_records(many), law="chinchilla", interval="wald")
    codes = [f.code for f in isoflop.rank_next_runs(rich, 1e20).findings]
    assert codes == ["another-run-does-not-help"]


def test_silent_where_a_run_helps(fitted):
    assert isoflop.rank_next_runs(fitted, 1e23, goal="size").findings == ()


def test_refuses_tables_without_what_it_needs(fitted):
    with pytest.raises(RunTableError, match="need column `dollars`"):
        isoflop.rank_next_runs(fitted, 1e22, candidates=_offers(), price="dollars")
    with pytest.raises(RunTableError, match=r"gpu_hours.*expected a positive amount"):
        isoflop.rank_next_runs(
            fitted, 1e22, candidates=_offers(gpu_hours=[1.0, 0.0, 1.0]), price="gpu_hours"
        )
    with pytest.raises(UnknownNameError):
        isoflop.rank_next_runs("no-such-law", 1e22)


def test_commands(fitted, tmp_path):
    law, ladder = tmp_path / "law.json", tmp_path / "ladder.csv"
    isoflop.write_fit(fitted, law)
    said = CliRunner().invoke(app, ["next", "--law", str(law), "--flops", "1e22", "--json"])
    assert said.exit_code == 0, said.output
    assert json.loads(said.stdout)["runs"][0]["reduction"]["level"] == 0.9
    asked = ["design", "--law", str(law), "--budget", "1e21", "--flops", "1e22", "-o", str(ladder)]
    said = CliRunner().invoke(app, asked)
    assert said.exit_code == 0, said.output
    assert "four times in five" in said.stdout
    assert "with the runs so far" in said.stdout
    assert f"{len(isoflop.read_runs(ladder))} runs, " in said.stdout


def test_runs_set_aside_do_not_make_the_others_noisier(fitted):
    spoiled = _grid().records()
    for record in spoiled[:2]:
        record["loss"] = float(str(record["loss"])) * 1.3
    noise = know(isoflop.fit(RunTable.from_records(spoiled), law="chinchilla")).noise
    assert noise == pytest.approx(know(fitted).noise, rel=0.25)
    assert noise == pytest.approx(0.005, rel=0.4)
