"""A study's folder where a command asks for runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung
from isoflop.runs.ladders.toml import print_ladder
from isoflop.store.manifest import commit_run, describe_run
from isoflop.store.recording.record import record
from isoflop.store.study import Study

LADDER = Ladder(
    "demo",
    "sotu",
    "bytes",
    tuple(
        Rung(f"d{d}", Architecture(1, d, 1, n_ctx=32, n_vocab=256, tied=False), 1, budgets)
        for d in (8, 16, 32, 64)
        for budgets in [(8192, 16384, 32768, 65536)]
    ),
    Recipe(lr=0.002),
    Evaluation(),
)
SETTINGS = {"device": "cpu", "precision": "float32", "torch": "2"}


def loss_of(n_params: float, n_tokens: float) -> float:
    return 1 + 9 * n_params**-0.25 + 60 * n_tokens**-0.45


@pytest.fixture
def study(tmp_path: Path) -> Study:
    study = Study.create(tmp_path / "study", LADDER)
    for run in LADDER.runs():
        row = describe_run(run, LADDER)
        row |= {"loss": loss_of(row["n_params"], row["n_tokens"]), "loss_unit": "nats/byte"}
        point = {"phase": "trunk", "step": 8, "tokens": 4096, "loss": 3.0, "train_loss": 3.0}
        commit_run(study.run_folder(run.id), row, [point], None)
    study.write_settings(SETTINGS)
    return study


def test_a_study_is_fitted_and_checked_as_its_table_is(isoflop, study: Study) -> None:
    fitted = isoflop("fit", str(study.path), "--bootstrap", "20", "--json").document
    assert fitted["n_runs"] == 16
    assert fitted["params"]["alpha"]["value"] == pytest.approx(0.25, abs=0.01)
    checked = isoflop("check", str(study.path))
    assert ": 16 rows, 16 fitted; " in checked.out
    assert "forced" not in checked.err


def test_a_damaged_run_is_told_and_no_law_is_fitted_without_it(isoflop, study: Study) -> None:
    path = study.run_folder("d8-s0-t8192") / "run.json"
    path.write_text('{"x"')
    said = "1 run of study cannot be read (d8-s0-t8192: "
    refused = isoflop("fit", "study")
    assert (refused.code, refused.error.startswith(said)) == (2, True)
    assert refused.error.endswith("; delete its run.json to train or record it again")
    checked = isoflop("check", "study")
    assert f"warning: {said}" in checked.err
    assert "study: 15 rows, 15 fitted; " in checked.out


def test_a_study_that_was_forced_says_so_wherever_it_is_read(isoflop, study: Study) -> None:
    over = [run.id for run in LADDER.runs()][:4]
    forced = {"forced": [["recipe.lr 0.004, now 0.002"]], "forced_runs": [over]}
    study.write_settings({**SETTINGS, **forced})
    for command in ("check", "fit"):
        said = isoflop(command, str(study.path)).err
        assert "warning: forced-mixing: forced over recipe.lr 0.004, now 0.002" in said
        assert "4 of 16 runs trained before it: d8-s0-t8192" in said


def test_runs_that_the_ladder_left_out_are_counted_where_they_are_read(
    isoflop, study: Study
) -> None:
    fewer = replace(LADDER, rungs=LADDER.rungs[1:])
    (study.path / "ladder.toml").write_text(print_ladder(fewer))
    forced = {"forced": [["recipe.lr 0.004, now 0.002", "rung d8, now gone"]]}
    noted = {"forced_runs": [[run.id for run in fewer.runs()]]}
    Study(study.path, fewer).write_settings({**SETTINGS, **forced, **noted})
    checked = isoflop("check", str(study.path))
    assert ": 16 rows, 16 fitted; " in checked.out
    assert "; 16 of 16 runs trained before it: " in checked.err


def test_recorded_runs_are_a_table_too(isoflop, tmp_path: Path) -> None:
    for k, (n_params, n_tokens) in enumerate([(n, d) for n in (1e3, 1e4, 1e5) for d in (1e5, 1e6)]):
        with record(tmp_path / "mine" / "runs" / f"r{k}", n_params=n_params) as run:
            run.log(step=1, n_tokens=int(n_tokens), loss=loss_of(n_params, n_tokens))
            run.finish()
    checked = isoflop("check", str(tmp_path / "mine"))
    assert ": 6 rows, 6 " in checked.out
