"""The engine that study.json names is the one that trains, and a resumed study keeps it."""

import dataclasses
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.base import strict_json  # noqa: E402
from isoflop.lab import train_rung as train_rung_module  # noqa: E402
from isoflop.lab.data.prepare import open_data  # noqa: E402
from isoflop.lab.engines.engine import TOLERANCES, Engine  # noqa: E402
from isoflop.lab.engines.placement import Placement  # noqa: E402
from isoflop.lab.engines.probe import Probe  # noqa: E402
from isoflop.lab.progress.progress import Silent  # noqa: E402
from isoflop.lab.training import prepare_study, run_ladder  # noqa: E402
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung  # noqa: E402
from isoflop.store.study import Study  # noqa: E402

PROBE = Probe("cpu", "float32", 1e11, 1)
PLACEMENT = Placement("cpu", "float32")


@pytest.fixture
def ladder(tmp_path: Path) -> Ladder:
    text = tmp_path / "text.txt"
    text.write_text("\n".join(f"line {i * i % 97} follows {i % 13}" for i in range(3000)))
    shape = Architecture(1, 8, n_head=1, n_ctx=16, n_vocab=256, tied=False, positions="rotary")
    return Ladder(
        "e", str(text), "bytes", (Rung("d8", shape, 3, (8192, 16384)),),
        Recipe(batch_tokens=128, lr=0.01), Evaluation(tokens=1024, curve_tokens=256),
    )  # fmt: skip


def train(study: Study) -> dict[str, float]:
    data = open_data(study.ladder, study.path / "data")
    train_rung_module.train_rung(study, study.ladder.rungs[0], data, PLACEMENT, lambda event: None)
    return {run: row["loss"] for run, row in study.manifests().items()}


def choose(study: Study, engine: Engine) -> None:
    """Write another engine into a study that has not begun to train."""
    kept = {k: v for k, v in study.settings().items() if k not in ("format", "ladder_sha256")}
    study.write_settings({**kept, "engines": {"d8": engine.to_dict()}})


def test_a_study_begins_with_an_engine_for_every_rung_and_keeps_it(ladder, tmp_path) -> None:
    study = run_ladder(ladder, tmp_path / "s", workers=1, progress=Silent(), probe=PROBE)
    chosen = study.settings()["engines"]
    assert chosen == {
        "d8": {"precision": "float32", "packs": 1, "steps": "eager", "chosen": "rule"}
    }
    again = prepare_study(
        ladder, study.path, probe=dataclasses.replace(PROBE, precision="bfloat16")
    )
    assert again.settings()["engines"] == chosen


def test_a_split_rung_gives_the_losses_of_a_whole_one_and_resumes(
    ladder, tmp_path, monkeypatch
) -> None:
    whole = prepare_study(ladder, tmp_path / "whole", probe=PROBE)
    split = prepare_study(ladder, tmp_path / "split", probe=PROBE)
    choose(split, Engine("float32", 2))
    built: list[Engine] = []

    class Watched(train_rung_module.Ensemble):
        def __init__(self, *arguments, engine, **named) -> None:
            built.append(engine)
            super().__init__(*arguments, engine=engine, **named)

    monkeypatch.setattr(train_rung_module, "Ensemble", Watched)
    expected, found = train(whole), train(split)
    assert built == [Engine("float32", 1), Engine("float32", 2)]
    assert len(expected) == 6
    assert found == pytest.approx(expected, rel=TOLERANCES["float32"])
    run = split.run_folder("d8-s2-t16384")
    kept = (run / "run.json").read_bytes(), (run / "journal.jsonl").read_bytes()
    (run / "run.json").unlink()
    train(split)
    assert ((run / "run.json").read_bytes(), (run / "journal.jsonl").read_bytes()) == kept


def test_a_long_rung_keeps_what_was_tried(ladder, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("isoflop.lab.engines.choose.MEASURED_FROM", 0.0)
    monkeypatch.setattr("isoflop.lab.engines.choose.LEAST_STEPS", 0)
    monkeypatch.setattr("isoflop.lab.engines.choose._SECONDS", 0.0)
    study = prepare_study(ladder, tmp_path / "s", probe=PROBE)
    document = strict_json.loads((study.path / "study.json").read_text())
    tried = document["engines"]["d8"]["tried"]
    assert document["engines"]["d8"]["chosen"] == "measured"
    assert [row["packs"] for row in tried] == [1, 2, 3]


class StopError(Exception):
    """What ends a training between two checkpoints."""


@pytest.mark.study  # a compiler is called three times
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_a_compiled_rung_resumes_to_the_same_bytes(ladder, tmp_path) -> None:
    compiled = Engine("float32", 1, "compiled")
    whole = prepare_study(ladder, tmp_path / "whole", probe=PROBE)
    broken = prepare_study(ladder, tmp_path / "broken", probe=PROBE)
    for study in (whole, broken):
        choose(study, compiled)
    train(whole)

    steps = 0

    def stop_in_the_middle(event) -> None:
        nonlocal steps
        steps += event["steps"] if event["event"] == "steps" else 0
        if steps > 80:
            raise StopError

    data = open_data(broken.ladder, broken.path / "data")
    rung = broken.ladder.rungs[0]
    with pytest.raises(StopError):
        train_rung_module.train_rung(broken, rung, data, PLACEMENT, stop_in_the_middle)
    assert not broken.rung_finished("d8")
    train(broken)
    for run in whole.manifests():
        for name in ("run.json", "journal.jsonl"):
            paths = [study.run_folder(run) / name for study in (broken, whole)]
            assert paths[0].read_bytes() == paths[1].read_bytes()
