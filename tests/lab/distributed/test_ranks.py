"""Two gloo processes against one: losses, weights, moments; checkpoints that change hands."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from on_ranks import (  # noqa: E402
    EVALUATION,
    RECIPE,
    SHAPE,
    job,
    losses_of,
    make_ladder,
    prepare,
    state_of,
    train_alone,
    train_on_ranks,
)

from isoflop.accounting.lstm import Lstm  # noqa: E402
from isoflop.accounting.transformer import Transformer  # noqa: E402
from isoflop.runs.ladders.ladder import Ladder  # noqa: E402
from isoflop.store.journal import read_journal  # noqa: E402
from isoflop.store.study import Study  # noqa: E402

# What docs/distributed.md states, for float32 and some hundred steps.
LOSS, WEIGHTS = 1e-5, 1e-4
UNTIED = replace(SHAPE, tied=False, positions="learned")
LADDER = make_ladder(UNTIED, seeds=2, dropout=0.1)


@dataclass(frozen=True)
class Trained:
    """Studies of one ladder: by one process, and by two in several ways."""

    alone: Study
    others: dict[str, Study]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("ranks")
    torch.set_num_threads(1)
    names = ["ddp", "fsdp", "two then one", "one then two", "ddp then fsdp"]
    others = {name: prepare(root / name, LADDER) for name in names}
    train_alone(others["one then two"], stop=True)
    jobs = [
        job(others["ddp"]),
        job(others["fsdp"], shard=True),
        job(others["two then one"], shard=True, stop=True),
        job(others["one then two"]),
        job(others["ddp then fsdp"], stop=True),
        job(others["ddp then fsdp"], shard=True),
    ]
    train_on_ranks(root, jobs)
    assert len(others["two then one"].manifests()) == 1
    train_alone(others["two then one"])
    return Trained(train_alone(prepare(root / "alone", LADDER)), others)


def assert_alike(alone: Study, other: Study, *, loss: float, weights: float) -> None:
    expected, found = losses_of(alone), losses_of(other)
    assert found.keys() == expected.keys()
    for run in expected:
        np.testing.assert_allclose(found[run], expected[run], rtol=loss)
    state, reached = state_of(alone), state_of(other)
    assert reached.keys() == state.keys()
    for name, tensor in state.items():
        torch.testing.assert_close(reached[name], tensor, rtol=0, atol=weights)


@pytest.mark.parametrize("how", ["ddp", "fsdp"])
def test_two_processes_train_as_one_does(trained: Trained, how: str) -> None:
    assert_alike(trained.alone, trained.others[how], loss=LOSS, weights=WEIGHTS)


@pytest.mark.parametrize("how", ["two then one", "one then two", "ddp then fsdp"])
def test_a_checkpoint_goes_on_in_another_world(trained: Trained, how: str) -> None:
    assert_alike(trained.alone, trained.others[how], loss=LOSS, weights=WEIGHTS)


def test_timing_tells_who_trained(trained: Trained) -> None:
    folder = trained.others["ddp then fsdp"].rung_folder("big")
    found = [
        (row["processes"], row["sharded"]) for row in read_journal(folder / "timing.jsonl").records
    ]
    assert found[0] == (2, False)
    assert found[-1] == (2, True)
    alone = read_journal(trained.alone.rung_folder("big") / "timing.jsonl").records
    assert all("processes" not in row for row in alone)


def test_nothing_but_the_losses_tells_two_processes_from_one(trained: Trained) -> None:
    for study in trained.others.values():
        for run, row in study.manifests().items():
            expected = trained.alone.manifests()[run]
            assert row.keys() == expected.keys()
            for key in ("n_params", "n_tokens", "flops", "lr", "steps", "epochs", "status"):
                assert row[key] == expected[key]


UNIVERSAL = Transformer(UNTIED, gated=True, span="alternating", band=4, passes=2)
CASES = {
    "tied": (make_ladder(), (False, True)),
    "bracket, gated, banded, recurrent": (
        make_ladder(UNIVERSAL, seeds=2, lrs=(0.005, 0.01), dropout=0.1),
        (False, True),
    ),
    "muon": (make_ladder(recipe=replace(RECIPE, optimizer="muon")), (False,)),
    "lstm": (make_ladder(Lstm(n_layer=1, d_model=12, n_ctx=16, n_vocab=256)), (False,)),
    "cosine": (make_ladder(recipe=replace(RECIPE, schedule="cosine")), (False, True)),
}


@pytest.mark.study
def test_every_kind_of_rung_trains_on_two_processes_as_on_one(tmp_path: Path) -> None:
    studies = [
        (prepare(tmp_path / f"{name} {shard}", ladder), shard)
        for name, (ladder, ways) in CASES.items()
        for shard in ways
    ]
    train_on_ranks(tmp_path, [job(study, shard=shard) for study, shard in studies])
    for name, (ladder, ways) in CASES.items():
        alone = train_alone(prepare(tmp_path / name, ladder))
        for shard in ways:
            other = Study.open(tmp_path / f"{name} {shard}")
            assert_alike(alone, other, loss=LOSS, weights=WEIGHTS)


@pytest.mark.study
@pytest.mark.parametrize(
    ("ladder", "shards", "loss"),
    [
        # Noise is a difference of nearly equal numbers; bfloat16 has 8 bits.
        (make_ladder(evaluation=replace(EVALUATION, noise_tokens=512)), (False,), 1e-3),
        (make_ladder(recipe=replace(RECIPE, precision="bfloat16")), (False, True), 2e-2),
    ],
)
def test_noise_and_bfloat16_agree_less(
    tmp_path: Path, ladder: Ladder, shards: tuple[bool, ...], loss: float
) -> None:
    alone = train_alone(prepare(tmp_path / "alone", ladder))
    others = [(prepare(tmp_path / str(shard), ladder), shard) for shard in shards]
    train_on_ranks(tmp_path, [job(study, shard=shard) for study, shard in others])
    for study, _ in others:
        assert_alike(alone, study, loss=loss, weights=0.1)


@pytest.mark.study
def test_over_many_steps_two_processes_part_from_one_as_it_does_from_itself(
    tmp_path: Path,
) -> None:
    """One weight nudged by one rounding parts two runs of one process as far, or farther."""
    ladder = make_ladder(budgets=(16_000, 32_000))
    alone, other = train_alone(prepare(tmp_path / "a", ladder)), prepare(tmp_path / "b", ladder)
    train_on_ranks(tmp_path, [job(other, shard=True)])
    itself = train_alone(prepare(tmp_path / "c", ladder), nudged=True)
    for run, expected in losses_of(alone).items():
        nudge = np.maximum.accumulate(np.abs(losses_of(itself)[run] - expected))
        found = np.maximum.accumulate(np.abs(losses_of(other)[run] - expected))
        assert (found <= 10 * nudge + 1e-5).all()
