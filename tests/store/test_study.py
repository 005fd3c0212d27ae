import dataclasses

import numpy as np
import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.base.errors import InputError, IsoflopError
from isoflop.runs.ladders.ladder import Evaluation, Ladder, PlannedRun, Recipe, Rung
from isoflop.store.journal import read_journal
from isoflop.store.manifest import commit_run, describe_run
from isoflop.store.study import Study

SHAPE = Architecture(n_layer=1, d_model=8, n_head=1, n_ctx=32, n_vocab=256, tied=False)
LADDER = Ladder(
    "demo", "sotu", "bytes", (Rung("d8", SHAPE, 2, (8192, 16384)),), Recipe(), Evaluation()
)


def finish(study: Study, run: PlannedRun, *, diverged: int | None = None) -> None:
    curve = [
        {"phase": "trunk", "step": 8, "tokens": 4096, "loss": 3.0, "train_loss": 3.1},
        {"phase": "cooldown", "step": 16, "tokens": 8192, "loss": 2.5, "train_loss": 2.6},
    ]
    loss = float("nan") if diverged else 2.5
    row = describe_run(run, LADDER) | {"loss": loss, "loss_unit": "nats/token"}
    commit_run(study.run_folder(run.id), row, curve, diverged)


def test_a_new_study_opens_again_and_has_nothing_finished(tmp_path) -> None:
    study = Study.create(tmp_path / "s", LADDER)
    assert Study.open(tmp_path / "s") == study
    assert Study.create(tmp_path / "s", LADDER) == study
    assert not study.finished()
    assert {row["state"] for row in study.status()} == {"pending"}


def test_another_ladder_or_a_strange_folder_is_refused(tmp_path) -> None:
    Study.create(tmp_path / "s", LADDER)
    with pytest.raises(InputError, match="another ladder"):
        Study.create(tmp_path / "s", dataclasses.replace(LADDER, seed=1))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not a study"):
        Study.create(tmp_path / "other", LADDER)
    with pytest.raises(InputError, match=r"no ladder\.toml"):
        Study.open(tmp_path / "other")


def test_finished_runs_become_rows_and_curves(tmp_path) -> None:
    study = Study.create(tmp_path / "s", LADDER)
    runs = list(LADDER.runs())
    finish(study, runs[0])
    assert [row["state"] for row in study.status()] == ["finished", *["pending"] * 3]
    table = study.run_table()
    assert table.text("run") == ["d8-s0-t8192"]
    assert table.numbers("flops")[0] == runs[0].flops
    assert table.numbers("n_params_with_head")[0] == runs[0].params.total - 256 * 8 - 32 * 8
    (curve,) = study.curves()
    np.testing.assert_array_equal(curve.loss, [3.0, 2.5])
    np.testing.assert_array_equal(curve.cooled, [False, True])
    for run in runs[1:]:
        finish(study, run)
    assert study.finished()


def test_a_diverged_run_is_over_but_gives_no_loss(tmp_path) -> None:
    study = Study.create(tmp_path / "s", LADDER)
    first, second, *_ = LADDER.runs()
    finish(study, first, diverged=7)
    finish(study, second)
    assert study.manifests()[first.id]["diverged_step"] == 7
    assert study.run_table().text("status") == ["diverged", "finished"]
    assert [curve.run for curve in study.curves()] == [second.id]


def test_a_journal_changed_after_its_commit_is_refused(tmp_path) -> None:
    study = Study.create(tmp_path / "s", LADDER)
    run = next(LADDER.runs())
    finish(study, run)
    journal = study.run_folder(run.id) / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"3.0", b"2.9"))
    with pytest.raises(InputError, match="not the one"):
        study.curves()


def test_a_study_has_one_writer(tmp_path) -> None:
    study = Study.create(tmp_path / "s", LADDER)
    with study.writing(), pytest.raises(IsoflopError, match="being written"):
        study.writing().__enter__()


DAMAGE = {
    "random bytes": (bytes(range(255, 100, -1)), "is not UTF-8"),
    "half a file": (b'{"format": 1, "run"', "not valid JSON"),
    "a list": (b"[1]", "expected a JSON object"),
    "a later format": (b'{"format": 2}', "format 2, expected 1"),
    "missing keys": (b'{"format": 1}', "`run` is absent"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_manifest_is_one_error_naming_the_file_and_the_way_out(tmp_path, case) -> None:
    study = Study.create(tmp_path / "s", LADDER)
    run = next(LADDER.runs())
    finish(study, run)
    content, message = DAMAGE[case]
    path = study.run_folder(run.id) / "run.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        study.status()
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "to train the run again" in str(caught.value) or "use the isoflop" in str(caught.value)


def test_a_damaged_settings_file_or_ladder_is_one_error(tmp_path) -> None:
    study = Study.create(tmp_path / "s", LADDER)
    for content in (b"\xff\xfe", b"[]", b'{"format": 1, "device": 3}'):
        (study.path / "study.json").write_bytes(content)
        with pytest.raises(InputError, match=r"study\.json.*start a new study"):
            study.settings()
    (study.path / "ladder.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"ladder\.toml"):
        Study.open(study.path)


def test_a_journal_that_is_a_folder_is_one_error(tmp_path) -> None:
    study = Study.create(tmp_path / "s", LADDER)
    run = next(LADDER.runs())
    finish(study, run)
    journal = study.run_folder(run.id) / "journal.jsonl"
    journal.unlink()
    journal.mkdir()
    with pytest.raises(InputError, match="not the one"):
        study.curves()
    with pytest.raises(InputError, match="cannot be read"):
        read_journal(journal)
