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


def test_other_budgets_seeds_and_rungs_mix_nothing(mixed: Study) -> None:
    more = ["rung d8: token_budgets [8192], now [8192, 16384]", "rung d8: seeds 2, now 1"]
    more.append("rung d12 is new")
    mixed.write_settings({**SETTINGS, "forced": [more]})
    assert find_forced(mixed) == []


def test_a_change_before_any_run_was_over_is_a_note(mixed: Study) -> None:
    mixed.write_settings({**SETTINGS, "forced": [["torch 2.6, now 2.7"]], "forced_runs": [[]]})
    (found,) = find_forced(mixed)
    assert (found.severity, found.runs) == ("note", ())
    assert "no run was over before it" in found.evidence


def test_runs_of_seeds_left_out_are_of_before_where_the_folder_is_asked(tmp_path: Path) -> None:
    fewer = replace(OTHER, rungs=(replace(OTHER.rungs[0], seeds=1),))
    study = Study.create(tmp_path / "s", fewer)
    for run in LADDER.runs():
        row = describe_run(run, LADDER) | {"loss": 2.5, "loss_unit": "nats/byte"}
        commit_run(study.run_folder(run.id), row, [], None)
    kept, on_disk = [run.id for run in fewer.runs()], [run.id for run in LADDER.runs()]
    change = [*CHANGED, "rung d8: seeds 2, now 1"]
    study.write_settings({**SETTINGS, "forced": [change], "forced_runs": [kept]})
    (of_ladder,) = find_forced(study)
    (of_folder,) = find_forced(study, on_disk)
    assert "; 2 of 2 runs trained before it: " in of_ladder.evidence
    assert "; 4 of 4 runs trained before it: " in of_folder.evidence
    assert of_folder.runs == (*kept, *(run for run in on_disk if run not in kept))


def test_runs_left_out_later_are_not_of_before_an_earlier_change(tmp_path: Path) -> None:
    fewer = replace(OTHER, rungs=(replace(OTHER.rungs[0], seeds=1),))
    study = Study.create(tmp_path / "s", fewer)
    for run in OTHER.runs():
        row = describe_run(run, OTHER) | {"loss": 2.5, "loss_unit": "nats/byte"}
        commit_run(study.run_folder(run.id), row, [], None)
    on_disk = [run.id for run in OTHER.runs()]
    changes = [["code_sha256 aaa, now bbb"], ["torch 2.6, now 2.7", "rung d8: seeds 2, now 1"]]
    kept = [run.id for run in fewer.runs()]
    study.write_settings({**SETTINGS, "forced": changes, "forced_runs": [kept[:1], kept]})
    code, torch = find_forced(study, on_disk)
    assert code.runs == (kept[0],)
    assert set(torch.runs) == set(on_disk)
