import dataclasses
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save  # noqa: E402

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.base.errors import InputError, IsoflopError, SpecError  # noqa: E402
from isoflop.lab import train_rung as train_rung_module  # noqa: E402
from isoflop.lab.data.prepare import open_data, prepare_data  # noqa: E402
from isoflop.lab.engines import ensemble as ensemble_module  # noqa: E402
from isoflop.lab.engines.placement import Placement  # noqa: E402
from isoflop.lab.engines.probe import Probe  # noqa: E402
from isoflop.lab.price.price import price_ladder  # noqa: E402
from isoflop.lab.progress.progress import Silent  # noqa: E402
from isoflop.lab.training import run_ladder  # noqa: E402
from isoflop.lab.weights.checkpoint import Checkpoint, load_checkpoint, save_checkpoint  # noqa: E402
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung  # noqa: E402
from isoflop.runs.ladders.toml import print_ladder  # noqa: E402
from isoflop.store.study import Study  # noqa: E402

RUNNER = """
import sys
from isoflop.lab import run_ladder
from isoflop.runs.ladders.toml import read_ladder
run_ladder(read_ladder(sys.argv[1]), sys.argv[2], workers=1)
"""


def make_ladder(corpus: Path, budgets: tuple[int, ...] = (8192, 16384)) -> Ladder:
    shape = {"n_layer": 1, "n_head": 1, "n_ctx": 16, "n_vocab": 256, "tied": False}
    rungs = tuple(
        Rung(f"d{d}", Architecture(d_model=d, positions="rotary", **shape), seeds, budgets)  # type: ignore[arg-type]
        for d, seeds in ((4, 2), (8, 1))
    )
    recipe = Recipe(batch_tokens=128, lr=0.01, precision="float32")
    evaluation = Evaluation(tokens=1024, curve_tokens=256)
    return Ladder("tiny", str(corpus), "bytes", rungs, recipe, evaluation)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    path.write_text("".join(f"the square of {i} is {i * i}\n" for i in range(2000)))
    return path


@pytest.fixture(scope="module")
def finished(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    path = tmp_path_factory.mktemp("whole") / "study"
    return run_ladder(make_ladder(corpus), path, workers=2, progress=Silent())


def deterministic_files(study: Path) -> dict[str, str]:
    names = [*study.rglob("journal.jsonl"), *study.rglob("run.json"), *study.glob("*.toml")]
    names += [*study.rglob("*.bin"), *study.rglob("checkpoint-*.safetensors")]
    return {
        str(name.relative_to(study)): hashlib.sha256(name.read_bytes()).hexdigest()
        for name in names
    }


def test_a_ladder_trains_into_a_table_with_curves(finished: Study) -> None:
    assert finished.finished()
    table = finished.run_table()
    assert len(table) == 6
    assert set(table.text("status")) == {"finished"}
    assert len(set(table.text("eval_set"))) == 1
    assert (table.numbers("loss") < 5).all()
    for curve in finished.curves():
        assert curve.tokens[-1] == curve.n_tokens
        assert curve.cooled.tolist() == [False] * (len(curve.tokens) - 1) + [True]


def test_the_number_of_workers_changes_no_byte(finished: Study, tmp_path: Path) -> None:
    again = run_ladder(finished.ladder, tmp_path / "s", workers=1, progress=Silent())
    assert deterministic_files(again.path) == deterministic_files(finished.path)


def test_running_again_trains_nothing(finished: Study) -> None:
    timing = {path: path.read_bytes() for path in finished.path.rglob("timing.jsonl")}
    run_ladder(finished.ladder, finished.path, progress=Silent())
    assert {path: path.read_bytes() for path in finished.path.rglob("timing.jsonl")} == timing


@pytest.mark.parametrize("run", ["d4-s1-t16384", "d4-s0-t8192"])
def test_a_run_deleted_by_hand_comes_back_the_same(finished: Study, run: str) -> None:
    before = deterministic_files(finished.path)
    (finished.run_folder(run) / "run.json").unlink()
    run_ladder(finished.ladder, finished.path, progress=Silent())
    assert deterministic_files(finished.path) == before


def test_a_killed_ladder_leaves_no_worker_and_resumes_to_the_same_bytes(
    corpus: Path, tmp_path: Path
) -> None:
    ladder = make_ladder(corpus, budgets=(8192, 49152))
    (tmp_path / "ladder.toml").write_text(print_ladder(ladder))
    study = tmp_path / "study"
    command = [sys.executable, "-c", RUNNER, str(tmp_path / "ladder.toml"), str(study)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as runner:
        first = study / "runs" / "d8-s0-t8192" / "run.json"
        other = study / "runs" / "d4-s0-t8192" / "run.json"
        wait_until(lambda: first.exists() or other.exists())
        workers = children_of(runner.pid)
        assert workers
        os.kill(runner.pid, signal.SIGKILL)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    over = Study.open(study).manifests()
    assert over
    assert not Study.open(study).finished()
    run_ladder(ladder, study, workers=2, progress=Silent())
    whole = run_ladder(ladder, tmp_path / "whole", workers=2, progress=Silent())
    assert deterministic_files(study) == deterministic_files(whole.path)
    assert {run: whole.manifests()[run] for run in over} == over


def wait_until(condition, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def children_of(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(line) for line in found.stdout.split()]


def test_a_seed_that_diverges_is_recorded_and_the_others_go_on(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ladder = make_ladder(corpus)
    study = Study.create(tmp_path / "s", ladder)
    prepare_data(ladder, study.path / "data")
    data = open_data(ladder, study.path / "data")

    class Poisoned(ensemble_module.Trainer):
        def advance(self, first, last, lr_at, on_steps):
            if first >= 51:
                with torch.no_grad():
                    self._pack.weights["embedding"][1] = torch.nan
                    self._pack.master.copy_(self._pack.low)
            return super().advance(first, last, lr_at, on_steps)

    monkeypatch.setattr(ensemble_module, "Trainer", Poisoned)
    events = []
    placement = Placement("cpu", "float32")
    train_rung_module.train_rung(study, ladder.rung("d4"), data, placement, events.append)
    rows = {run: (row["status"], row["diverged_step"]) for run, row in study.manifests().items()}
    assert rows == {
        "d4-s0-t8192": ("finished", None),
        "d4-s1-t8192": ("diverged", 51),
        "d4-s0-t16384": ("finished", None),
        "d4-s1-t16384": ("diverged", 51),
    }
    assert sum(event["event"] == "run" for event in events) == 4


def test_a_worker_that_dies_is_reported_and_the_other_rung_is_kept(
    corpus: Path, tmp_path: Path
) -> None:
    ladder = make_ladder(corpus)
    study = Study.create(tmp_path / "s", ladder)
    (study.rung_folder("d8")).mkdir(parents=True)
    (study.rung_folder("d8") / "journal.jsonl").mkdir()
    with pytest.raises(IsoflopError, match=r"rung d8: .*journal"):
        run_ladder(ladder, study.path, workers=1, progress=Silent())
    assert {run.split("-")[0] for run in study.manifests()} == {"d4"}


def test_a_corpus_that_changed_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "t.txt"
    text.write_text("some words in a line\n" * 2000)
    ladder = make_ladder(text)
    prepare_data(ladder, tmp_path / "data")
    text.write_text("other words in a line\n" * 2000)
    with pytest.raises(InputError, match="changed since this study began"):
        prepare_data(ladder, tmp_path / "data")


def test_a_second_runner_of_the_same_study_is_refused(finished: Study) -> None:
    with finished.writing(), pytest.raises(IsoflopError, match="being written by another"):
        run_ladder(finished.ladder, finished.path, progress=Silent())


def test_an_unfinished_study_does_not_change_its_torch(corpus: Path, tmp_path: Path) -> None:
    ladder = make_ladder(corpus)
    study = Study.create(tmp_path / "s", ladder)
    study.write_settings({"device": "cpu", "precision": "float32", "torch": "1.0"})
    with pytest.raises(InputError, match=r"begun with torch 1\.0"):
        run_ladder(ladder, study.path, progress=Silent())


def test_a_gpu_that_is_not_there_is_one_line(corpus: Path, tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(InputError, match="finds no GPU"):
        run_ladder(make_ladder(corpus), tmp_path / "s", device="cuda", progress=Silent())
    with pytest.raises(InputError, match="finds no GPU"):
        price_ladder(make_ladder(corpus), device="cuda")
    assert not (tmp_path / "s").exists()


def test_a_vocabulary_larger_than_the_models_is_refused(corpus: Path) -> None:
    with pytest.raises(SpecError, match="set n_vocab = 300"):
        dataclasses.replace(make_ladder(corpus), tokenizer="bpe-300")


def test_a_damaged_checkpoint_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    saved = Checkpoint(7, {1: 3}, {"master": torch.arange(6.0), "first": torch.ones(2)})
    save_checkpoint(path, saved)
    loaded = load_checkpoint(path)
    assert loaded is not None
    assert (loaded.step, loaded.diverged) == (7, {1: 3})
    assert torch.equal(loaded.tensors["master"], saved.tensors["master"])
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert load_checkpoint(path) is None
    for place in range(8, len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        path.write_bytes(bytes(damaged))
        reread = load_checkpoint(path)
        assert reread is None or (reread.step, reread.diverged) == (7, {1: 3})


@pytest.mark.parametrize("name", ["data.json", "train.bin", "held_out.bin"])
def test_damaged_data_is_one_error_and_prepared_again_when_deleted(
    corpus: Path, tmp_path: Path, name: str
) -> None:
    ladder = make_ladder(corpus)
    whole = prepare_data(ladder, tmp_path / "data")
    (tmp_path / "data" / name).write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=rf"{name}.*delete .*data and resume"):
        prepare_data(ladder, tmp_path / "data")
    with pytest.raises(InputError, match=name):
        open_data(ladder, tmp_path / "data")
    shutil.rmtree(tmp_path / "data")
    assert prepare_data(ladder, tmp_path / "data") == whole


def test_a_ladder_that_cannot_run_is_refused_by_its_price_and_leaves_no_folder(
    corpus: Path, tmp_path: Path
) -> None:
    single = tmp_path / "single.txt"
    single.write_text("one line only")
    short = tmp_path / "short.txt"
    short.write_text("a\nb\n")
    probe = Probe("cpu", "float32", 1e11, 1)
    good = make_ladder(corpus)
    for name, message in {
        "sotuu": "did you mean sotu",
        str(single): "expected at least 2",
        str(short): "fewer than one context",
    }.items():
        ladder = dataclasses.replace(good, corpus=name)
        with pytest.raises(InputError, match=message):
            price_ladder(ladder, probe=probe)
        with pytest.raises(InputError, match=message):
            run_ladder(ladder, tmp_path / "s", progress=Silent(), probe=probe)
        assert not (tmp_path / "s").exists()
    assert price_ladder(good, probe=probe).n_runs == 6


def test_a_trunk_goes_on_from_the_checkpoint_before_a_damaged_one(
    finished: Study, tmp_path: Path
) -> None:
    study = Study(tmp_path / "s", finished.ladder)
    shutil.copytree(finished.path, study.path)
    folder = study.rung_folder("d4")
    kept = sorted(folder.glob("checkpoint-*.safetensors"), key=os.path.getmtime)
    assert len(kept) == 2
    before = deterministic_files(study.path)
    damaged = bytearray(kept[1].read_bytes())
    damaged[-1] ^= 1
    kept[1].write_bytes(bytes(damaged))
    (study.run_folder("d4-s1-t16384") / "run.json").unlink()
    seen = Seen()
    run_ladder(study.ladder, study.path, workers=1, progress=seen)
    notices = [event for event in seen.events if event["event"] == "notice"]
    assert [event["rung"] for event in notices] == ["d4"]
    assert f"{kept[1].name}: damaged; going on from step" in notices[0]["message"]
    assert deterministic_files(study.path) == before


def test_a_checkpoint_of_other_data_or_ahead_of_its_journal_is_passed_over(
    finished: Study, tmp_path: Path
) -> None:
    study = Study(tmp_path / "s", finished.ladder)
    shutil.copytree(finished.path, study.path)
    before = deterministic_files(study.path)
    folder = study.rung_folder("d4")
    for path in folder.glob("checkpoint-*.safetensors"):
        found = load_checkpoint(path)
        assert found is not None
        moved = {**found.position, "next_sha256": "0" * 63 + "1"}
        save_checkpoint(path, dataclasses.replace(found, position=moved))
    journal = study.rung_folder("d8") / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[1:]))
    for run in ("d4-s1-t16384", "d8-s0-t16384"):
        (study.run_folder(run) / "run.json").unlink()
    seen = Seen()
    run_ladder(study.ladder, study.path, workers=1, progress=seen)
    said = [
        (event["rung"], event["message"]) for event in seen.events if event["event"] == "notice"
    ]
    assert sum(rung == "d4" and "of other data" in text for rung, text in said) == 2
    assert sum(rung == "d8" and "ahead of the trunk's journal" in text for rung, text in said) == 2
    assert deterministic_files(study.path) == before


def test_a_runs_weights_are_known_by_their_hash(finished: Study) -> None:
    hashes = [row["weights_sha256"] for row in finished.manifests().values()]
    assert len(set(hashes)) == len(hashes) == 6
    assert all(len(digest) == 64 for digest in hashes)
    assert "weights_sha256" not in finished.run_table().columns


class Seen(Silent):
    """Keep every event."""

    def __init__(self) -> None:
        self.events: list = []

    def event(self, event) -> None:
        self.events.append(dict(event))


def test_a_study_of_the_first_layout_is_migrated_and_resumed_to_the_same_bytes(
    finished: Study, tmp_path: Path
) -> None:
    study = Study(tmp_path / "s", finished.ladder)
    shutil.copytree(finished.path, study.path)
    before = deterministic_files(study.path)
    for rung in ("d4", "d8"):
        folder = study.rung_folder(rung)
        *earlier, newest = sorted(folder.glob("checkpoint-*.safetensors"), key=os.path.getmtime)
        found = load_checkpoint(newest)
        assert found is not None
        (folder / "checkpoint.safetensors").write_bytes(pack_format_1(found))
        for path in (*earlier, newest):
            path.unlink()
    settings = json.loads((study.path / "study.json").read_bytes())
    kept = ("device", "precision", "torch", "machine", "threads_per_worker", "ladder_sha256")
    old = {"format": 1, **{key: settings[key] for key in kept}}
    (study.path / "study.json").write_text(json.dumps(old))
    (study.run_folder("d4-s1-t16384") / "run.json").unlink()
    run_ladder(study.ladder, study.path, workers=1, progress=Silent())
    after = deterministic_files(study.path)
    assert {k: v for k, v in after.items() if "safetensors" not in k} == {
        k: v for k, v in before.items() if "safetensors" not in k
    }
    assert json.loads((study.path / "study.json").read_bytes())["format"] == 2
    backup = study.path / "backup-format-1"
    assert json.loads((backup / "study.json").read_bytes()) == old
    assert (backup / "rungs" / "d4" / "checkpoint.safetensors").exists()


def pack_format_1(found: Checkpoint) -> bytes:
    """The bytes of a checkpoint as the first release wrote it."""
    header = {"step": found.step, "diverged": {str(k): v for k, v in found.diverged.items()}}
    digest = hashlib.sha256(json.dumps(header).encode())
    for name in sorted(found.tensors):
        digest.update(name.encode() + found.tensors[name].numpy().tobytes())
    header["sha256"] = digest.hexdigest()
    return save(found.tensors, metadata={"isoflop": json.dumps(header)})
