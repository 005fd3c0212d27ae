"""A study that was forced over a change names the change and the runs of before."""

from dataclasses import replace
from pathlib import Path

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung
from isoflop.store.forced import CODE, find_forced
from isoflop.store.manifest import commit_run, describe_run
from isoflop.store.study import Study

SHAPE = Architecture(n_layer=1, d_model=8, n_head=1, n_ctx=32, n_vocab=256, tied=False)
LADDER = Ladder(
    "demo", "sotu", "bytes", (Rung("d8", SHAPE, 2, (8192, 16384)),), Recipe(lr=0.004), Evaluation()
)
OTHER = replace(LADDER, recipe=replace(LADDER.recipe, lr=0.002))
SETTINGS = {"device": "cpu", "precision": "float32", "torch": "2.7"}
CHANGED = ["recipe.lr 0.004, now 0.002"]


@pytest.fixture
def mixed(tmp_path: Path) -> Study:
    """Half of the runs trained at one rate, half at another, under the ladder of the other."""
    study = Study.create(tmp_path / "s", OTHER)
    for number, (old, new) in enumerate(zip(LADDER.runs(), OTHER.runs(), strict=True)):
        run, ladder = (old, LADDER) if number < 2 else (new, OTHER)
        row = describe_run(run, ladder) | {"loss": 2.5, "loss_unit": "nats/byte"}
        commit_run(study.run_folder(run.id), row, [], None)
    return study


def first_two() -> tuple[str, ...]:
    return tuple(run.id for run in LADDER.runs())[:2]


def test_nothing_forced_is_nothing_found(mixed: Study) -> None:
    mixed.write_settings(SETTINGS)
    assert find_forced(mixed) == []


@pytest.mark.parametrize("noted", [{}, {"forced_runs": [list(first_two())]}])
def test_another_rate_names_the_rate_and_the_runs_of_before(mixed: Study, noted) -> None:
    mixed.write_settings({**SETTINGS, "forced": [CHANGED], **noted})
    (found,) = find_forced(mixed)
    assert (found.code, found.severity, found.runs) == (CODE, "warning", first_two())
    assert "recipe.lr 0.004, now 0.002; 2 of 4 runs trained before it: " in found.evidence
    assert all(name in found.evidence for name in first_two())


def test_other_code_names_the_runs_that_no_row_tells_apart(mixed: Study) -> None:
    forced = {"forced": [CHANGED, ["code_sha256 aaa, now bbb"]]}
    names = [run.id for run in OTHER.runs()][:3]
    mixed.write_settings({**SETTINGS, **forced, "forced_runs": [names]})
    rate, code = find_forced(mixed)  # the first was forced before runs were noted
    assert rate.runs == first_two()
    assert code.runs == tuple(names)
    assert "code_sha256 aaa, now bbb" in code.evidence


def test_more_budgets_and_rungs_mix_nothing(mixed: Study) -> None:
    more = ["rung d8: token_budgets [8192], now [8192, 16384]", "rung d12 is new"]
    mixed.write_settings({**SETTINGS, "forced": [more]})
    assert find_forced(mixed) == []


def test_a_change_before_any_run_was_over_is_a_note(mixed: Study) -> None:
    mixed.write_settings({**SETTINGS, "forced": [["torch 2.6, now 2.7"]], "forced_runs": [[]]})
    (found,) = find_forced(mixed)
    assert (found.severity, found.runs) == ("note", ())
    assert "no run was over before it" in found.evidence
