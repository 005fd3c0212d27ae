import dataclasses
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.base.errors import InputError  # noqa: E402
from isoflop.lab.engines.probe import Probe  # noqa: E402
from isoflop.lab.price.price import price_ladder  # noqa: E402
from isoflop.lab.progress.progress import Silent  # noqa: E402
from isoflop.lab.training import run_ladder  # noqa: E402
from isoflop.lab.weights.initial import check_starts, read_start  # noqa: E402
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung  # noqa: E402
from isoflop.runs.ladders.toml import parse_ladder, print_ladder  # noqa: E402
from isoflop.store.study import Study  # noqa: E402

PROBE = Probe("cpu", "float32", 1e11, 1)
SHAPE = Architecture(
    n_layer=1, d_model=8, n_head=1, n_ctx=16, n_vocab=256, positions="rotary", tied=True
)
RUN = "d8-s0-t16384"


def ladder_of(corpus: Path, start: str = "", seeds: int = 2, **recipe) -> Ladder:
    rung = Rung("d8", SHAPE, seeds, (8192, 16384), start=start)
    return Ladder(
        "l", str(corpus), "bytes", (rung,),
        Recipe(batch_tokens=128, lr=0.01, precision="float32", **recipe),
        Evaluation(tokens=1024, curve_tokens=256, keep_weights=not start),
    )  # fmt: skip


def train(ladder: Ladder, path: Path) -> Study:
    return run_ladder(ladder, path, workers=1, progress=Silent(), probe=PROBE)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "text.txt"
    lines = [f"line {i * i % 97} follows line {i % 13}, {i} in all" for i in range(4000)]
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def pretrained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return train(ladder_of(corpus), tmp_path_factory.mktemp("studies") / "pre")


def test_finished_runs_keep_their_weights_under_the_hash_of_their_manifest(pretrained) -> None:
    for run, manifest in pretrained.manifests().items():
        rung = Rung("d8", SHAPE, 1, (8192,), start=str(pretrained.run_folder(run)))
        weights = read_start(rung)
        assert {name: tuple(each.shape) for name, each in weights.items()} == {
            "embedding": (256, 8), "0.qkv": (8, 24), "0.out": (8, 8), "0.up": (8, 32),
            "0.down": (32, 8),
        }  # fmt: skip
        assert len(manifest["weights_sha256"]) == 64
    assert len({m["weights_sha256"] for m in pretrained.manifests().values()}) == 4


def test_a_rung_begins_where_the_other_study_ended(pretrained, corpus, tmp_path) -> None:
    start = pretrained.run_folder(RUN)
    # At a rate of nearly nothing the loss stays that of the weights.
    still = ladder_of(corpus, str(start), lr_final=0.0)
    still = dataclasses.replace(still, recipe=dataclasses.replace(still.recipe, lr=1e-12))
    study = train(still, tmp_path / "s")
    source = pretrained.manifests()[RUN]
    for manifest in study.manifests().values():
        assert manifest["loss"] == pytest.approx(source["loss"], rel=1e-5)
        assert (manifest["start"], manifest["start_sha256"]) == (
            str(start), source["weights_sha256"],
        )  # fmt: skip
        assert (manifest["n_finetune"], manifest["start_tokens"]) == (manifest["n_tokens"], 16384)
        assert not (study.run_folder(manifest["run"]) / "weights.safetensors").exists()
    assert study.settings()["starts"] == {
        "d8": {"run": str(start), "weights_sha256": source["weights_sha256"]}
    }
    table = study.run_table()
    assert list(table.numbers("n_finetune")) == list(table.numbers("n_tokens"))


def test_going_on_beats_beginning_anew_and_resumes_to_the_same_bits(
    pretrained, corpus, tmp_path
) -> None:
    ladder = ladder_of(corpus, str(pretrained.run_folder(RUN)))
    study = train(ladder, tmp_path / "s")
    for run, manifest in study.manifests().items():
        assert manifest["loss"] < pretrained.manifests()[run]["loss"] - 0.02
    before = study.run_folder(RUN) / "journal.jsonl", study.run_folder(RUN) / "run.json"
    kept = [path.read_bytes() for path in before]
    (study.run_folder(RUN) / "run.json").unlink()
    train(ladder, study.path)
    assert [path.read_bytes() for path in before] == kept


def test_a_start_is_part_of_the_ladder_and_of_its_file(pretrained, corpus) -> None:
    ladder = ladder_of(corpus, str(pretrained.run_folder(RUN)))
    text = print_ladder(ladder)
    assert f'start = "{pretrained.run_folder(RUN)}"' in text
    assert parse_ladder(text) == ladder
    assert "start" not in print_ladder(ladder_of(corpus))
    assert "keep_weights = true" in print_ladder(ladder_of(corpus))
    assert parse_ladder(print_ladder(ladder_of(corpus))) == ladder_of(corpus)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"d_ff": 16}, "d_ff is 16, there 32"),
        ({"n_layer": 2}, "n_layer is 2, there 1"),
        ({"n_head": 2}, "n_head is 2, there 1"),
        ({"tied": False}, "tied is False, there True"),
    ],
)
def test_another_shape_is_refused_before_a_folder_is_made(
    pretrained, corpus, tmp_path, changes, message
) -> None:
    ladder = ladder_of(corpus, str(pretrained.run_folder(RUN)))
    shape = dataclasses.replace(SHAPE, **changes)
    rung = dataclasses.replace(ladder.rungs[0], architecture=shape)
    ladder = dataclasses.replace(ladder, rungs=(rung,))
    with pytest.raises(InputError, match=message):
        train(ladder, tmp_path / "s")
    with pytest.raises(InputError, match=message):
        price_ladder(ladder, probe=PROBE)
    assert not (tmp_path / "s").exists()


def test_a_tied_head_needs_the_same_base_width(pretrained, corpus) -> None:
    ladder = ladder_of(corpus, str(pretrained.run_folder(RUN)), base_width=64)
    with pytest.raises(InputError, match=r"base_width is 64, there 32"):
        check_starts(ladder)


def test_runs_without_weights_or_with_damaged_ones_are_refused(
    pretrained, corpus, tmp_path
) -> None:
    with pytest.raises(InputError, match="is no run; name a finished run"):
        check_starts(ladder_of(corpus, str(pretrained.path)))
    folder = tmp_path / "copy" / "runs" / RUN
    folder.mkdir(parents=True)
    (tmp_path / "copy" / "ladder.toml").write_text(print_ladder(pretrained.ladder))
    source = pretrained.run_folder(RUN)
    (folder / "run.json").write_bytes((source / "run.json").read_bytes())
    with pytest.raises(InputError, match=r"weights\.safetensors is not there; .*keep_weights"):
        check_starts(ladder_of(corpus, str(folder)))
    raw = bytearray((source / "weights.safetensors").read_bytes())
    raw[-1] ^= 1
    (folder / "weights.safetensors").write_bytes(bytes(raw))
    with pytest.raises(InputError, match="is damaged"):
        check_starts(ladder_of(corpus, str(folder)))
    changed = (source / "run.json").read_text().replace('"finished"', '"diverged"')
    (folder / "run.json").write_text(changed)
    with pytest.raises(InputError, match="is diverged"):
        check_starts(ladder_of(corpus, str(folder)))
