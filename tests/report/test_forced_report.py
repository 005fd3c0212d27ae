"""The report of a study that mixes two recipes says so: answer, findings and facts."""

from dataclasses import replace
from pathlib import Path

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.fitting.parametric import FitSpec
from isoflop.report.study import report_study
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung
from isoflop.store.manifest import commit_run, describe_run
from isoflop.store.study import Study

pytest.importorskip("matplotlib")

RUNGS = tuple(
    Rung(f"d{d}", Architecture(1, d, 1, n_ctx=32, n_vocab=256, tied=False), 1, budgets)
    for d in (8, 16, 32, 64)
    for budgets in [(8192, 16384, 32768, 65536)]
)
NOW = Ladder("demo", "sotu", "bytes", RUNGS, Recipe(lr=0.002), Evaluation())
BEFORE = replace(NOW, recipe=replace(NOW.recipe, lr=0.004))


def test_the_runs_of_another_rate_are_named_on_the_page(tmp_path: Path) -> None:
    study = Study.create(tmp_path / "s", NOW)
    for run in NOW.runs():
        old = run.rung.name == "d8"
        ladder = BEFORE if old else NOW
        planned = next(each for each in ladder.runs() if each.id == run.id)
        row = describe_run(planned, ladder)
        loss = 1 + 9 * row["n_params"] ** -0.25 + 60 * row["n_tokens"] ** -0.45
        point = {"phase": "trunk", "step": 8, "tokens": 4096, "loss": loss, "train_loss": loss}
        row |= {"loss": loss, "loss_unit": "nats/byte"}
        curve = [point, point | {"step": 9, "tokens": 5000}]
        commit_run(study.run_folder(run.id), row, curve, None)
    forced = {"forced": [["recipe.lr 0.004, now 0.002"]]}
    study.write_settings({"device": "cpu", "precision": "float32", "torch": "2", **forced})
    found = report_study(study.path, spec=FitSpec(n_resamples=100, n_starts=4))
    assert "forced-mixing" in found.answer[-1]
    page = found.report.with_suffix(".md").read_text(encoding="utf-8")
    said = "recipe.lr 0.004, now 0.002; 4 of 16 runs trained before it: d8-s0-t8192, "
    assert f"warning: forced-mixing**: forced over {said}" in page
    facts = next(line for line in page.splitlines() if line.startswith("| changed on the way"))
    assert said in facts
