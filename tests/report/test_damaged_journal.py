"""A study with a damaged journal is refused before it is analysed, and nothing is written."""

from pathlib import Path

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.base.errors import InputError
from isoflop.report.study import report_study
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.store.manifest import commit_run, describe_run
from isoflop.store.study import Study

SHAPE = Architecture(1, 8, 1, n_ctx=32, n_vocab=256, tied=False)


def test_the_journal_is_refused_before_the_runs_are_analysed(tmp_path: Path) -> None:
    ladder = Ladder("demo", "sotu", "bytes", (Rung("d8", SHAPE, 1, (8192,)),))
    study = Study.create(tmp_path / "s", ladder)
    (run,) = ladder.runs()
    point = {"phase": "trunk", "step": 8, "tokens": 4096, "loss": 3.0, "train_loss": 3.0}
    row = describe_run(run, ladder) | {"loss": 3.0, "loss_unit": "nats/byte"}
    commit_run(study.run_folder(run.id), row, [point], None)
    journal = study.run_folder(run.id) / "journal.jsonl"
    journal.write_text(journal.read_text().replace("3.0", "2.0"))
    before = sorted(study.path.rglob("*"))

    # One run allows no analysis: whoever begins one meets that refusal first.
    with pytest.raises(InputError, match=r"journal\.jsonl is not the one run\.json was committed"):
        report_study(study.path)
    assert sorted(study.path.rglob("*")) == before
