"""What is measured of finished models: losses by position, test sets, bits per byte, noise."""

import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.accounting.convolution import Convolutional  # noqa: E402
from isoflop.accounting.lstm import Lstm  # noqa: E402
from isoflop.base.errors import InputError, SpecError, UnknownNameError  # noqa: E402
from isoflop.fitting.batch.noise_scale import gram_noise  # noqa: E402
from isoflop.lab.measures.evaluate import held_out_loss, position_losses  # noqa: E402
from isoflop.lab.measures.noise_scale import measure_noise, noise_record  # noqa: E402
from isoflop.lab.measures.token_bytes import bits_per_byte, read_token_bytes  # noqa: E402
from isoflop.lab.models.families import build_model  # noqa: E402
from isoflop.lab.models.pack import make_pack  # noqa: E402
from isoflop.lab.progress.progress import Silent  # noqa: E402
from isoflop.lab.training import run_ladder  # noqa: E402
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung  # noqa: E402
from isoflop.runs.ladders.toml import ladder_hash, parse_ladder, print_ladder  # noqa: E402
from isoflop.store.study import Study  # noqa: E402
from isoflop.store.tables.tables import tabulate_studies  # noqa: E402

CPU = torch.device("cpu")
SHAPE = Architecture(
    n_layer=1, d_model=8, n_head=1, n_ctx=8, n_vocab=32, tied=False, positions="rotary"
)
SEEDS = [(0, 0), (0, 1)]
PLACED = {"base_width": 8, "device": CPU, "dtype": torch.float32}


def random_pack(seeds: list[tuple[int, int]]):
    """A model and a pack whose heads are not zero, so that losses differ from uniform."""
    pack = make_pack(SHAPE, seeds, **PLACED)
    for k, seed in enumerate(seeds):
        generator = torch.Generator().manual_seed(seed[1] + 5)
        with torch.no_grad():
            head = pack.weights["head"][k]
            head.copy_(torch.randn(head.shape, generator=generator))
    pack.master.copy_(pack.low)
    return build_model(SHAPE, **PLACED), pack


def windows(*shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(3).integers(0, 32, (*shape, 9)))


def test_losses_by_position_are_those_of_torch() -> None:
    model, pack = random_pack(SEEDS)
    rows = windows(37)
    found = position_losses(model, pack, rows)
    for k, seed in enumerate(SEEDS):
        alone, single = random_pack([seed])
        logits = alone.logits(single.weights, rows[None, :, :-1])[0].detach()
        each = torch.nn.functional.cross_entropy(logits, rows[:, 1:].flatten(), reduction="none")
        assert found[k] == pytest.approx(each.view(37, 8).double().mean(0).numpy(), rel=1e-5)
    assert held_out_loss(model, pack, rows) == pytest.approx(found.mean(1))


def test_the_noise_scale_is_that_of_gradients_taken_one_by_one() -> None:
    model, pack = random_pack(SEEDS)
    before = pack.master.clone()
    rows = windows(32, 2)
    found = measure_noise(model, pack, rows)
    assert torch.equal(pack.master, before)
    for k, seed in enumerate(SEEDS):
        alone, single = random_pack([seed])
        gradients = []
        for row in rows[:, k]:
            logits = alone.logits(single.weights, row[None, None, :-1])[0]
            loss = torch.nn.functional.cross_entropy(logits, row[1:])
            parts = torch.autograd.grad(loss, list(single.weights.values()))
            gradients.append(torch.cat([part.flatten() for part in parts]).double().numpy())
        each = np.array(gradients)
        whole = each.mean(0)
        trace = 8 * ((each - whole) ** 2).sum() / 31  # per token: 8 in a context
        assert found[k].trace.value == pytest.approx(trace, rel=0.02)
        groups = each.reshape(8, 4, -1)
        direct = gram_noise(
            groups.mean(1) @ groups.mean(1).T,
            (groups**2).sum(2).mean(1),
            batch_small=8,
            per_group=4,
        )
        assert found[k].grad_sq.value == pytest.approx(direct.grad_sq.value, rel=1e-4)
    assert set(noise_record(found)) >= {"noise_scale", "grad_sq", "grad_trace"}


def test_bytes_of_tokens_add_up_to_the_text(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    from isoflop.lab.data.tokenizer import train_tokenizer

    documents = [f"naïve cafés № {i}, squared {i * i}\n".encode() for i in range(300)]
    tokenizer = train_tokenizer("bpe-300", documents)
    (tmp_path / "tokenizer.json").write_text(tokenizer.to_json())
    lengths = read_token_bytes(tmp_path / "tokenizer.json")
    ids = tokenizer.encode(documents)
    assert len(lengths) == tokenizer.n_vocab
    assert int(lengths[ids].sum()) == sum(len(text) + 1 for text in documents)
    row = np.concatenate([[0], ids])[None]
    per_byte = bits_per_byte(1.0, row, lengths)
    assert per_byte == pytest.approx(len(ids) / math.log(2) / int(lengths[ids].sum()))


def test_something_else_is_not_a_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text('{"model": 3}')
    with pytest.raises(InputError, match="not a tokenizer"):
        read_token_bytes(tmp_path / "tokenizer.json")


def make_ladder(folder: Path, **evaluation) -> Ladder:
    texts = {
        "squares": "".join(f"the square of {i} is {i * i}\n" for i in range(2000)),
        "cubes": "".join(f"a cube, {i}^3, comes to {i**3}\n" for i in range(1000)),
    }
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    shape = dataclasses.replace(SHAPE, n_ctx=16, n_vocab=256)
    measured = Evaluation(tokens=2048, curve_tokens=512, **evaluation)
    recipe = Recipe(batch_tokens=128, lr=0.01, precision="float32")
    rungs = (Rung("d8", shape, 2, (8192, 16384)),)
    return Ladder("tiny", str(folder / "squares.txt"), "bytes", rungs, recipe, measured)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("texts")
    ladder = make_ladder(folder, test_sets=(str(folder / "cubes.txt"),), noise_tokens=16 * 32)
    return run_ladder(ladder, folder / "study", workers=1, progress=Silent())


def test_a_finished_study_has_every_measure_as_a_column(finished: Study) -> None:
    table = finished.run_table()
    loss = table.numbers("loss")
    assert table.numbers("bits_per_byte") == pytest.approx(loss / math.log(2))
    assert (table.numbers("loss_cubes") > loss).all()
    assert table.numbers("bits_per_byte_cubes") == pytest.approx(
        table.numbers("loss_cubes") / math.log(2)
    )
    assert len(set(table.text("eval_set_cubes"))) == 1
    for row in finished.manifests().values():
        journal = (finished.run_folder(row["run"]) / "journal.jsonl").read_text().splitlines()
        by_position = json.loads(journal[-1])["loss_by_position"]
        assert len(by_position) == 16
        assert np.mean(by_position) == pytest.approx(row["loss"])
        assert row["loss_at_1"] == by_position[0]
        assert row["loss_at_16"] == by_position[15]
        assert row["loss_at_1"] > row["loss_at_16"]


def test_the_noise_scale_is_a_curve_beside_the_loss(finished: Study) -> None:
    points = tabulate_studies([finished.path], rows="points")
    assert len(set(points.names())) == 2
    assert (points.numbers("grad_trace") > 0).all()
    assert np.isfinite(points.numbers("loss")).all()
    assert points.numbers("n_tokens") == pytest.approx(128 * points.numbers("steps"))


def test_losses_by_position_are_a_table_of_their_own(finished: Study) -> None:
    table = tabulate_studies([finished.path], rows="positions")
    assert len(table) == 4 * 16
    assert sorted(set(table.numbers("position"))) == list(range(1, 17))
    runs = tabulate_studies([finished.path])
    by_run = table.numbers("loss").reshape(4, 16).mean(1)
    assert by_run == pytest.approx(runs.numbers("loss"))


def test_runs_of_several_studies_carry_their_study(finished: Study, tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(finished.path)
    with pytest.raises(InputError, match="same folder name"):
        tabulate_studies([tmp_path / "again", finished.path], rows="points")
    with pytest.raises(UnknownNameError, match="did you mean points"):
        tabulate_studies([finished.path], rows="point")
    copy = shutil.copytree(finished.path, tmp_path / "other")
    both = tabulate_studies([finished.path, copy])
    assert {name.split("/")[0] for name in both.names()} == {"study", "other"}
    assert len(both) == 8


def test_test_sets_are_written_once_and_refused_when_changed(
    finished: Study, tmp_path: Path
) -> None:
    from isoflop.lab.measures.test_sets import open_test_sets, prepare_test_sets

    path = finished.path / "data" / "test-cubes.bin"
    before = path.stat().st_mtime_ns
    prepare_test_sets(finished.ladder, finished.path / "data")
    assert path.stat().st_mtime_ns == before
    corpus = Path(finished.ladder.evaluation.test_sets[0])
    text = corpus.read_text()
    corpus.write_text(text + "more\n")
    with pytest.raises(InputError, match="changed since this study began"):
        prepare_test_sets(finished.ladder, finished.path / "data")
    corpus.write_text(text)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(InputError, match="not whole"):
        open_test_sets(finished.ladder, finished.path / "data")
    path.write_bytes(whole)


def test_ladders_of_before_keep_their_hash_and_new_fields_come_back(tmp_path: Path) -> None:
    plain = make_ladder(tmp_path)
    assert "test_sets" not in print_ladder(plain)
    assert "noise_tokens" not in print_ladder(plain)
    rich = make_ladder(tmp_path, test_sets=("sotu",), noise_tokens=512)
    assert parse_ladder(print_ladder(rich)) == rich
    assert ladder_hash(rich) != ladder_hash(plain)


def test_measures_that_cannot_be_taken_are_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"at least 16 contexts of 16 \(256\)"):
        make_ladder(tmp_path, noise_tokens=255)
    with pytest.raises(SpecError, match="2 would be named 'a'"):
        make_ladder(tmp_path, test_sets=("x/a.txt", "y/a.txt"))
    with pytest.raises(UnknownNameError, match="did you mean sotu"):
        run_ladder(make_ladder(tmp_path, test_sets=("sotuu",)), tmp_path / "s", progress=Silent())
    (tmp_path / "short.txt").write_text("a\nb\n")
    ladder = make_ladder(tmp_path, test_sets=(str(tmp_path / "short.txt"),))
    with pytest.raises(SpecError, match="fewer than one context"):
        run_ladder(ladder, tmp_path / "s", progress=Silent())
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    "shape",
    [
        Lstm(n_layer=1, d_model=8, n_vocab=32, n_ctx=8, tied=False),
        Convolutional(n_layer=1, d_model=8, n_vocab=32, n_ctx=8, tied=False),
    ],
)
def test_families_of_every_kind_have_their_gradient_noise(shape) -> None:
    pack = make_pack(shape, SEEDS, **PLACED)
    with torch.no_grad():
        pack.weights["head"].normal_(generator=torch.Generator().manual_seed(0))
    pack.master.copy_(pack.low)
    model, rows = build_model(shape, **PLACED), windows(64, 2)
    found = measure_noise(model, pack, rows)
    pack.refresh()
    by_model = rows.transpose(0, 1)
    logits = model.logits(pack.weights, by_model[..., :-1]).log_softmax(-1)
    targets = by_model[..., 1:].reshape(2, -1, 1)
    (-logits.gather(-1, targets).mean((1, 2)).sum()).backward()
    whole = sum(weight.grad.flatten(1).square().sum(1) for weight in pack.weights.values())
    for scale, squared in zip(found, whole, strict=True):
        expected = scale.grad_sq.value + scale.trace.value / (64 * 8)
        assert squared.item() == pytest.approx(expected, rel=0.05)


def test_of_a_large_test_set_some_documents_are_read_at_equal_distances(tmp_path: Path) -> None:
    from isoflop.lab.data.corpora import Corpus
    from isoflop.lab.measures.test_sets import _held_out

    documents = tuple(f"{i:099d}".encode() for i in range(20_000))
    ladder = make_ladder(tmp_path)
    found = _held_out(ladder, Corpus("c", documents, "", "", ""))
    assert 32 * 2048 <= sum(map(len, found)) < 2 * 32 * 2048
    numbers = [int(text) for text in found]
    assert len(set(np.diff(numbers))) == 1
    assert numbers[-1] > 19_900
