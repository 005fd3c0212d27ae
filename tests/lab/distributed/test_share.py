"""What is refused before a process is started, and whose part is whose."""

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from on_ranks import EVALUATION, RECIPE, make_ladder  # noqa: E402

from isoflop.accounting.lstm import Lstm  # noqa: E402
from isoflop.base.errors import InputError  # noqa: E402
from isoflop.lab.distributed.share import (  # noqa: E402
    Split,
    check_split,
    check_study,
    own_windows,
)
from isoflop.lab.models.dropout import Dropout  # noqa: E402
from isoflop.runs.ladders.ladder import Ladder  # noqa: E402
from isoflop.store.study import Study  # noqa: E402

LSTM = make_ladder(Lstm(n_layer=1, d_model=12, n_ctx=16, n_vocab=256))


@pytest.mark.parametrize(
    ("ladder", "split", "message"),
    [
        (
            make_ladder(),
            Split(3),
            "rung big: 4 rows a step (64 tokens of contexts of 16) do not divide among 3 "
            "processes; choose processes that divide them, or another batch_tokens",
        ),
        (
            LSTM,
            Split(2, shard=True),
            "rung big: of lstm no shards, only of transformers; train it without --shard",
        ),
        (
            make_ladder(recipe=replace(RECIPE, optimizer="muon")),
            Split(2, shard=True),
            "rung big: muon needs whole matrices, only adamw shards; train it without --shard",
        ),
        (
            make_ladder(evaluation=replace(EVALUATION, noise_tokens=512)),
            Split(2, shard=True),
            "rung big: gradient noise (noise_tokens) is not measured on shards; train it without "
            "--shard",
        ),
    ],
)
def test_a_rung_that_does_not_divide_is_one_sentence(
    ladder: Ladder, split: Split, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_split(ladder, ladder.rungs[0], split)
    assert str(caught.value) == message


def test_what_divides_is_allowed() -> None:
    for ladder, split in [
        (make_ladder(seeds=3, lrs=(0.01, 0.02), dropout=0.1), Split(4, shard=True)),
        (LSTM, Split(2)),
        (make_ladder(recipe=replace(RECIPE, optimizer="muon")), Split(2)),
        (make_ladder(evaluation=replace(EVALUATION, noise_tokens=512)), Split(2)),
    ]:
        check_split(ladder, ladder.rungs[0], split)


def test_what_a_study_says_against_it_is_one_sentence(tmp_path: Path) -> None:
    study = Study.create(tmp_path / "s", make_ladder(seeds=2))
    with pytest.raises(InputError, match=r"has no rung small; it has big$"):
        check_study(study, "small", Split(2))
    with pytest.raises(InputError, match="is not prepared for training"):
        check_study(study, "big", Split(2))
    settings = {"device": "cpu", "precision": "float32", "torch": torch.__version__}
    study.write_settings(settings)
    assert check_study(study, "big", Split(2)).packs == 1
    engine = {"precision": "float32", "packs": 2, "steps": "eager"}
    study.write_settings({**settings, "engines": {"big": engine}})
    with pytest.raises(InputError, match="splits its 2 models into 2 packs"):
        check_study(study, "big", Split(2))


@pytest.mark.parametrize(("count", "size"), [(17, 2), (1, 2), (16, 4), (5, 3), (2, 4)])
def test_every_window_counts_once_and_all_ranks_look_at_as_many(count: int, size: int) -> None:
    shares = [own_windows(count, rank, size) for rank in range(size)]
    assert [w for places, counted in shares for w in places[:counted]] == list(range(count))
    assert len({len(places) for places, _ in shares}) == 1


def test_dropout_of_parts_is_dropout_of_the_whole() -> None:
    seeds, device = [(0, 0), (0, 1)], torch.device("cpu")
    states = torch.rand(2, 8, 3, generator=torch.Generator().manual_seed(0))
    whole = Dropout(0.5, seeds, 7, device)
    parts = [Dropout(0.5, seeds, 7, device, (part, 4)) for part in range(4)]
    for _ in range(3):  # one mask after the other, as in a forward pass
        found = [drop(own) for drop, own in zip(parts, states.chunk(4, dim=1), strict=True)]
        assert torch.equal(torch.cat(found, dim=1), whole(states))
