"""Going on with something else than the study was begun with: refused by name, or recorded."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from faults.ladders import small_ladder

from isoflop.base.errors import InputError
from isoflop.lab import identity, settings
from isoflop.lab.progress.progress import Silent
from isoflop.lab.training import prepare_study, run_ladder
from isoflop.runs.ladders.ladder import Ladder
from isoflop.runs.ladders.toml import read_ladder
from isoflop.store.study import Study


@pytest.fixture
def begun(tmp_path: Path) -> Study:
    (tmp_path / "text.txt").write_text("".join(f"{i} squared is {i * i}\n" for i in range(2000)))
    ladder = replace(small_ladder(6), corpus=str(tmp_path / "text.txt"), max_epochs=50.0)
    return prepare_study(ladder, tmp_path / "study")


def other_code(study: Study, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    monkeypatch.setattr(identity, "code_sha256", lambda: "c0de" * 16)
    return study.ladder


def other_torch(study: Study, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    monkeypatch.setattr(identity.torch, "__version__", "99.0")
    return study.ladder


def other_threads(study: Study, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    monkeypatch.setattr(identity, "THREADS", 2)
    return study.ladder


def other_spec(study: Study, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    return replace(study.ladder, recipe=replace(study.ladder.recipe, lr=0.02))


def other_tokens(study: Study, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    tokens = study.path / "data" / "train.bin"
    raw = bytearray(tokens.read_bytes())
    raw[100] ^= 1
    tokens.write_bytes(bytes(raw))
    return study.ladder


def other_corpus(study: Study, monkeypatch: pytest.MonkeyPatch) -> Ladder:
    text = Path(study.ladder.corpus)
    text.write_text(text.read_text().replace("squared", "doubled"))
    return study.ladder


CHANGES = {
    other_code: "code_sha256 .*, now c0dec0dec0de",
    other_torch: r"torch .*, now 99\.0",
    other_threads: "threads_per_worker 1, now 2",
    other_spec: r"recipe\.lr 0\.01, now 0\.02",
    other_tokens: "data_sha256 .*, now",
    other_corpus: "corpus .* changed since this study began",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_refused_by_name_and_forced_on_the_record(
    begun: Study, monkeypatch: pytest.MonkeyPatch, record_fault, change
) -> None:
    before = begun.settings()
    ladder = change(begun, monkeypatch)
    kept = (begun.path / "ladder.toml").read_bytes(), (begun.path / "study.json").read_bytes()
    with pytest.raises(InputError, match=CHANGES[change]) as caught:
        run_ladder(ladder, begun.path, progress=Silent())
    found = "refused by name"
    assert "\n" not in str(caught.value)
    assert kept == (
        (begun.path / "ladder.toml").read_bytes(),
        (begun.path / "study.json").read_bytes(),
    )
    prepare_study(ladder, begun.path, force=True)
    after = Study.open(begun.path)
    (forced,) = after.settings()["forced"]
    assert "forced" not in before
    assert len(forced) == 1
    assert after.settings()["forced_runs"] == [list(after.manifests())]
    assert after.ladder == ladder
    prepare_study(ladder, begun.path)  # what was forced once is what the study is now
    record_fault(
        8,
        tried=change.__name__.replace("_", " "),
        expected="refused by name, forced on record",
        found=f"{found}, {forced[0][:40]} on record",
    )


def test_a_ladder_file_edited_in_the_study_is_refused_by_name_and_restored(
    begun: Study, record_fault
) -> None:
    path = begun.path / "ladder.toml"
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b"lr = 0.01", b"lr = 0.02"))
    edited = read_ladder(path)
    named = r"ladder\.toml is not the ladder .* begun with: recipe\.lr 0\.01, now 0\.02; restore it"
    with pytest.raises(InputError, match=named):
        Study.open(begun.path)
    with pytest.raises(InputError, match=r"another ladder: recipe\.lr 0\.01, now 0\.02"):
        prepare_study(edited, begun.path)  # what resume would do with the file as it is
    prepare_study(begun.ladder, begun.path)
    assert path.read_bytes() == kept
    path.write_bytes(b"# a word on it\n" + kept)
    assert Study.open(begun.path).ladder == begun.ladder
    prepare_study(edited, begun.path, force=True)
    assert Study.open(begun.path).ladder == edited
    (forced,) = begun.settings()["forced"]
    assert forced == ["recipe.lr 0.01, now 0.02"]
    found = "refused by name, restored by its own file, forced on record"
    record_fault(8, tried="ladder.toml edited in the study", expected=found, found=found)


def test_another_processor_is_noted_and_on_record_but_not_refused(
    begun: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, notices = begun.settings()["processor"], []
    assert first == identity.processor_model()

    class Heard(Silent):
        def event(self, event: Mapping[str, Any]) -> None:
            notices.extend([event["message"]] if event["event"] == "notice" else [])

    class Idle:
        name = "idle"

        def launch(self, *given: object) -> list[str]:
            return []

    run_ladder(begun.ladder, begun.path, progress=Heard(), launcher=Idle())
    assert notices == []
    for model in ("Xeon of another cluster", "EPYC of a third", "Xeon of another cluster"):
        monkeypatch.setattr(identity, "processor_model", lambda model=model: model)
        run_ladder(begun.ladder, begun.path, progress=Heard(), launcher=Idle())
        (notice,) = notices
        assert f"begun on {first}, this is {model}: losses" in notice
        notices.clear()
    kept = begun.settings()
    assert kept["processor"] == first
    assert kept["other_processors"] == ["Xeon of another cluster", "EPYC of a third"]
    assert "forced" not in kept


def test_the_model_of_a_processor_is_read_as_the_system_tells_it(tmp_path: Path) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nmodel\t\t: 17\nmodel name\t: Some Chip @ 2.0GHz\nflags\t: a\n")
    assert identity.processor_model(told) == "Some Chip @ 2.0GHz"
    assert identity.processor_model(tmp_path / "absent")  # of another system: never nothing


def test_several_changes_are_named_together(begun: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    other_torch(begun, monkeypatch)
    other_threads(begun, monkeypatch)
    with pytest.raises(InputError, match=r"torch .*; threads_per_worker .*--force"):
        prepare_study(begun.ladder, begun.path)


def test_a_study_of_an_earlier_release_is_not_refused_for_what_it_did_not_note(
    begun: Study,
) -> None:
    old = {key: begun.settings()[key] for key in ("device", "precision", "torch", "machine")}
    begun.write_settings(old)
    prepare_study(begun.ladder, begun.path)
    assert begun.settings()["code_sha256"] == identity.code_sha256()
    assert "forced" not in begun.settings()


def test_a_rung_of_another_recipe_is_begun_again_and_nothing_is_lost(begun: Study) -> None:
    rung = begun.ladder.rungs[0]
    folder = begun.rung_folder(rung.name)
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").write_text("")
    longer = replace(rung, token_budgets=(*rung.token_budgets, 65536))
    ladder = replace(begun.ladder, rungs=(longer,))
    prepare_study(ladder, begun.path, force=True)
    assert folder.is_dir()  # a longer run goes on from the same trunk
    tuned = replace(ladder, rungs=(replace(longer, lrs=(0.02,)),))
    prepare_study(tuned, begun.path, force=True)
    assert not folder.exists()
    assert folder.with_name(f"{rung.name}.before").is_dir()


def test_the_code_of_a_study_is_all_that_decides_numbers_and_nothing_else() -> None:
    modules = identity.code_modules()
    assert {
        "isoflop.lab.train_rung",
        "isoflop.lab.distributed.sharded",
        "isoflop.lab.models.transformer",
        "isoflop.lab.recipes.muon",
        "isoflop.lab.data.stream",
        "isoflop.runs.settle",
        "isoflop.accounting.params",
    } <= modules
    assert not any(
        module.startswith(
            (
                "isoflop.cli",
                "isoflop.store",
                "isoflop.lab.progress",
                "isoflop.lab.price",
            )
        )
        for module in modules
    )


def test_settings_are_measured_by_the_identity_alone(begun: Study) -> None:
    assert settings.measure_identity is identity.measure_identity
    now = identity.measure_identity()
    assert {key: begun.settings()[key] for key in now} == now
