"""The fit report checklist: Li et al. 2025's items, stated by the record, or missing."""

import json
from pathlib import Path

import numpy as np
import pytest

from isoflop.base.errors import InputError, RefusalError, UnknownNameError
from isoflop.fitting.automatic.table import fit_automatic_table
from isoflop.fitting.checklist import ITEMS, Stated, parse_statements, state_fit
from isoflop.fitting.definitions import define_columns
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.isoflop import fit_isoflop
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.saved import read_fit, write_fit
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.runs.table import RunTable, derive_column

THETA = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658])
USER = {"N": "non-embedding", "loss unit": "nats/token", "eval set": "C4", "backtest": "done",
        "checkpoint rule": "final"}  # fmt: skip


def make_table(**columns: str) -> RunTable:
    C = np.repeat(np.logspace(18, 21, 4), 7)
    N = 0.1 * np.sqrt(C) * np.tile(np.logspace(-0.6, 0.6, 7), 4)
    runs = {"n_params": N, "n_tokens": C / (6 * N)}
    loss = ChinchillaLaw().predict(THETA, runs)
    loss = loss * np.exp(0.004 * np.random.default_rng(0).standard_normal(len(C)))
    rows = [
        {"n_params": n, "n_tokens": d, "flops": 6 * n * d, "loss": one, **columns}
        for n, d, one in zip(*runs.values(), loss, strict=True)
    ]
    return RunTable.from_records(rows)


@pytest.fixture(scope="module")
def fit() -> Fit:
    spec = FitSpec(objective=Objective("huber", 1e-3), n_resamples=40, n_starts=5, seed=7)
    return fit_parametric(make_table(), ChinchillaLaw(), spec)


def test_what_the_record_cannot_know_is_missing_and_all_else_is_stated(fit: Fit) -> None:
    checklist = state_fit(fit)
    assert set(checklist.missing) == set(USER)
    stated = {item.name: item.value for item in checklist.items}
    assert list(stated) == list(ITEMS)
    assert "A/n_params**alpha" in stated["form"]
    assert stated["C"].startswith("6·N·D")
    assert stated["starts"] == "5 random, seed 7"
    assert "huber" in stated["loss"]
    assert "delta 0.001" in stated["loss"]
    assert "1e-09" in stated["tolerance"]
    for parameter in ChinchillaLaw().parameters:
        bounds = f"{parameter.name} in [{parameter.low:g}, {parameter.high:g}]"
        assert bounds in stated["bounds"]
    assert fit.data.sha256 in stated["data"]


def test_strict_refuses_with_all_that_is_missing(fit: Fit) -> None:
    with pytest.raises(RefusalError) as refused:
        state_fit(fit, stated=Stated({"N": "total"}, strict=True))
    said = str(refused.value)
    assert said.startswith("4 of 19 items")
    assert all(f"{name} (" in said for name in set(USER) - {"N"})
    assert "N (" not in said
    assert state_fit(fit, stated=Stated(USER, strict=True)).missing == ()


@pytest.mark.parametrize("item", ITEMS)
def test_each_item_left_empty_is_missed(fit: Fit, item: str) -> None:
    found = {**dict.fromkeys(ITEMS, "known"), item: ""}
    assert state_fit(fit, known=found).missing == (item,)


def test_what_the_user_states_wins_and_is_told_apart(fit: Fit) -> None:
    items = {one.name: one for one in state_fit(fit, stated=Stated({"C": "matmul"})).items}
    assert (items["C"].value, items["C"].by_user) == ("matmul", True)
    assert not items["D"].by_user
    with pytest.raises(UnknownNameError, match="did you mean checkpoint rule"):
        Stated({"checkpoint rul": "final"})
    with pytest.raises(InputError, match="item=text"):
        parse_statements(["final"])


def test_a_saved_fit_states_the_same(fit: Fit, tmp_path: Path) -> None:
    path = write_fit(fit, tmp_path / "law.json")
    assert state_fit(read_fit(path)) == state_fit(fit)


def test_a_fit_saved_before_there_was_a_procedure_is_incomplete(fit: Fit, tmp_path: Path) -> None:
    path = write_fit(fit, tmp_path / "law.json")
    document = json.loads(path.read_text())
    del document["procedure"], document["data"]["definitions"]
    path.write_text(json.dumps(document))
    missing = state_fit(read_fit(path)).missing
    assert {"optimiser", "bounds", "tolerance", "selection", "code", "D", "C"} <= set(missing)


def test_an_automatic_fit_states_its_grid_and_says_so_when_read_again(tmp_path: Path) -> None:
    rows = [{"n_tokens": 2.0**k, "loss": 2 + 30 * 2.0 ** (-k / 4)} for k in range(10, 30)]
    automatic = fit_automatic_table(RunTable.from_records(rows), "n_tokens")
    checklist = state_fit(automatic)
    assert set(checklist.missing) == {"loss unit", "eval set", "checkpoint rule", "backtest"}
    path = write_fit(automatic, tmp_path / "auto.json")
    assert state_fit(read_fit(path)) == checklist
    document = json.loads(path.read_text())
    del document["procedure"]
    path.write_text(json.dumps(document))
    assert {"optimiser", "bounds", "code"} <= set(state_fit(read_fit(path)).missing)
    with pytest.raises(InputError, match="is of a fit, found dict"):
        state_fit({})


def test_a_frontier_is_of_closed_form_and_a_fit_without_intervals_lacks_their_unit(
    fit: Fit,
) -> None:
    frontier = fit_isoflop(make_table(loss_unit="nats/token"), FitSpec(n_resamples=20))
    assert set(state_fit(frontier).missing) == set(USER) - {"loss unit"}
    bare = fit_parametric(make_table(), ChinchillaLaw(), FitSpec(n_resamples=0, n_starts=3))
    assert "bootstrap unit" in state_fit(bare).missing


def test_definitions_are_only_what_the_table_tells() -> None:
    rows = [{"n_params": 1e6, "n_tokens": 1e8, "flops": 9e14, "loss": 3.0, "eval_set": "C4"}]
    told = define_columns(RunTable.from_records(rows))
    assert "N" not in told  # the name says nothing about embeddings
    assert "C" not in told  # 1.5 times 6ND: counted by a rule the table does not give
    assert told["eval set"] == "C4"
    mapped = RunTable.from_records(rows, mapping={"n_params": "params_no_embed"})
    assert "params_no_embed" in define_columns(mapped)["N"]
    counted = RunTable.from_records([{**rows[0], "n_params_non_embedding": 9e5}])
    assert "all parameters" in define_columns(counted)["N"]
    derived = derive_column(RunTable.from_records([{"n_params": 1e6, "flops": 6e14}]), "n_tokens")
    assert "D = C/6N" in define_columns(derived)["D"]
    assert define_columns(derived)["C"].startswith("6·N·D")
    mixed = [rows[0], {**rows[0], "eval_set": "Pile"}]
    assert "eval set" not in define_columns(RunTable.from_records(mixed))
