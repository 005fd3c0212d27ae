import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.accounting.convolution import Convolutional  # noqa: E402
from isoflop.accounting.lstm import Lstm  # noqa: E402
from isoflop.base import strict_json  # noqa: E402
from isoflop.base.errors import InputError  # noqa: E402
from isoflop.lab.data.stream import TokenStream, held_out_windows  # noqa: E402
from isoflop.lab.engines import choose as engine_probe  # noqa: E402
from isoflop.lab.engines.choose import (  # noqa: E402
    Trial,
    candidates,
    choose_engines,
    pick,
    try_engines,
)
from isoflop.lab.engines.engine import (  # noqa: E402
    TOLERANCES,
    Engine,
    read_engine,
    split_members,
    usual_engine,
)
from isoflop.lab.engines.ensemble import Ensemble  # noqa: E402
from isoflop.lab.engines.probe import Probe  # noqa: E402
from isoflop.runs.ladders.ladder import Ladder, Recipe, Rung  # noqa: E402

SHAPE = Architecture(
    n_layer=2, d_model=16, n_head=2, n_ctx=16, n_vocab=64, tied=False, positions="rotary"
)
RECIPE = Recipe(batch_tokens=64, lr=0.004)
TEXT = (np.arange(20_000) ** 2 // 7 % 64).astype(np.uint16)
HELD_OUT = torch.from_numpy(held_out_windows(TEXT[::-1].copy(), 16, 1024).astype(np.int64))
BRACKET = Rung("b", SHAPE, 2, (6400,), lrs=(0.002, 0.004, 0.008))
"""Six models: two seeds at three rates; packs of them straddle rates."""


def build(engine: Engine, rung: Rung = BRACKET, recipe: Recipe = RECIPE, threads: int = 1):
    seeds = [(0, member % rung.seeds) for member in range(rung.members)]
    streams = [TokenStream(TEXT, 16, (*seed, 0)) for seed in seeds]
    return Ensemble(
        rung, recipe, streams, seeds=seeds, device="cpu", engine=engine, threads=threads
    )


def train(ensemble: Ensemble, first: int = 0, last: int = 100):
    losses = ensemble.advance(first, last, lambda step: 0.002).train_loss
    return np.concatenate([losses, ensemble.held_out(HELD_OUT)])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_packed_split_and_sequential_training_give_the_same_losses(precision, optimizer) -> None:
    recipe = dataclasses.replace(RECIPE, optimizer=optimizer)
    tolerance = TOLERANCES[precision]
    steps = 20 if optimizer == "muon" else 100  # an orthogonal step has no small gradients
    alone = train(build(Engine("float32", 6), recipe=recipe), 0, steps)
    assert len({round(loss, 3) for loss in alone[:6]}) == 6  # six models that differ
    for packs in (1, 4, 6):
        found = train(build(Engine(precision, packs), recipe=recipe), 0, steps)
        assert found[:6] == pytest.approx(alone[:6], rel=tolerance)
        if precision == "float32":  # a held-out loss on its way down is no mean of 100 steps
            assert found[6:] == pytest.approx(alone[6:], rel=tolerance)


def test_packs_side_by_side_give_the_bits_of_packs_in_turn() -> None:
    told: list[int] = []
    one, two = build(Engine("float32", 3)), build(Engine("float32", 3), threads=2)
    losses = one.advance(0, 90, lambda step: 0.004, told.append).train_loss
    assert (two.advance(0, 90, lambda step: 0.004).train_loss == losses).all()
    assert sum(told) == 90
    assert (two.position_losses(HELD_OUT) == one.position_losses(HELD_OUT)).all()


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("packs", [1, 4])
def test_split_models_cut_anywhere_and_restored_give_the_same_bits(packs, optimizer) -> None:
    recipe = dataclasses.replace(RECIPE, optimizer=optimizer)
    whole, parts, other = (build(Engine("float32", packs), recipe=recipe) for _ in range(3))
    train(whole, 0, 40)
    train(parts, 0, 13)
    other.optimizer.restore(parts.optimizer.state())
    train(other, 13, 40)
    for name, tensor in whole.optimizer.state().items():
        assert torch.equal(tensor, other.optimizer.state()[name])


def test_the_state_of_packs_is_that_of_one_pack() -> None:
    one, split = build(Engine("float32", 1)), build(Engine("float32", 4))
    assert torch.equal(one.optimizer.state()["master"], split.optimizer.state()["master"])
    train(one, 0, 20)
    split.optimizer.restore(one.optimizer.state())
    assert split.held_out(HELD_OUT) == pytest.approx(one.held_out(HELD_OUT), rel=1e-5)


def test_a_split_model_that_diverges_is_named_by_its_place_in_the_rung() -> None:
    ensemble = build(Engine("float32", 3))
    with torch.no_grad():
        ensemble._trainers[1]._pack.master.view(-1)[:2048] = torch.nan
    assert ensemble.advance(5, 20, lambda step: 0.004).diverged == {2: 5, 3: 5}


def test_noise_scales_of_packs_stand_in_the_order_of_models() -> None:
    windows = torch.from_numpy(
        np.stack([TokenStream(TEXT, 16, (0, k, 3)).rows(0, 16) for k in range(6)], axis=1).astype(
            np.int64
        )
    )
    one, split = (build(Engine("float32", packs)) for packs in (1, 4))
    expected = [scale.trace.value for scale in one.noise(windows)]
    found = [scale.trace.value for scale in split.noise(windows)]
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("members", [1, 2, 5, 7])
def test_every_model_is_in_one_pack(members) -> None:
    for packs in range(1, members + 1):
        slices = split_members(members, packs)
        assert [k for part in slices for k in range(members)[part]] == list(range(members))
        lengths = [part.stop - part.start for part in slices]
        assert len(slices) == packs
        assert max(lengths) - min(lengths) <= 1


def test_the_usual_pack_has_at_most_8192_tokens_a_step() -> None:
    recipe = dataclasses.replace(RECIPE, batch_tokens=1024)
    assert usual_engine(BRACKET, recipe, "cpu", "float32").packs == 1
    wide = dataclasses.replace(BRACKET, seeds=8)
    assert usual_engine(wide, recipe, "cpu", "float32").packs == 3
    large = dataclasses.replace(recipe, batch_tokens=16384)
    assert usual_engine(wide, large, "cpu", "float32").packs == 24
    assert usual_engine(wide, large, "cuda", "bfloat16").packs == 1


@pytest.mark.parametrize(
    "shape", [SHAPE, Lstm(1, 8, 8, 64, n_ctx=16), Convolutional(1, 8, n_vocab=64, n_ctx=16)]
)
def test_candidates_run_and_agree_with_models_alone(shape) -> None:
    rung = Rung("r", shape, 3, (6400,))
    engines = [Engine("float32", packs) for packs in (1, 2)] + [Engine("bfloat16")]
    tried = try_engines(rung, RECIPE, "cpu", engines)
    assert [trial.engine for trial in tried] == engines
    for trial in tried:
        assert trial.failure == ""
        assert 0 < trial.step_seconds < 60
        assert trial.deviation <= TOLERANCES[trial.engine.precision]


def test_the_usual_engine_is_left_only_for_one_that_is_clearly_faster_and_agrees() -> None:
    usual = Trial(Engine("bfloat16", 2), 1.0, deviation=1e-3)
    quick = Trial(Engine("float32", 1), 0.5, deviation=1e-6)
    assert pick([usual, quick]) == quick.engine
    assert pick([usual, dataclasses.replace(quick, step_seconds=0.95)]) == usual.engine
    assert pick([usual, dataclasses.replace(quick, deviation=2e-4)]) == usual.engine
    assert pick([usual, dataclasses.replace(quick, deviation=np.nan)]) == usual.engine
    assert pick([usual, Trial(Engine("float32"), None, failure="no compiler")]) == usual.engine
    slow = Trial(Engine("float32", 2), 2.0, deviation=1e-6)
    assert pick([dataclasses.replace(usual, deviation=0.03), slow]) == slow.engine
    assert pick([dataclasses.replace(usual, deviation=0.03)]) == usual.engine
    diverged = Trial(usual.engine, 1.0, deviation=np.nan)
    assert strict_json.loads(strict_json.dumps(diverged.to_dict()))["deviation"] is None
    failed = Trial(usual.engine, None, failure="out of memory")
    assert pick([failed, quick]) == quick.engine


def test_compile_graphs_and_types_are_tried_where_they_may_pay() -> None:
    usual = Engine("bfloat16", 2)
    short = list(candidates(BRACKET, usual, "cpu", free=True, seconds=600))
    assert short == [
        Engine("bfloat16", 1), Engine("bfloat16", 4), Engine("bfloat16", 6), Engine("float32", 2)
    ]  # fmt: skip
    pinned = list(candidates(BRACKET, usual, "cpu", free=False, seconds=1e5))
    assert pinned[0] == Engine("bfloat16", 2, "compiled")
    assert {engine.precision for engine in pinned} == {"bfloat16"}
    gpu = list(candidates(BRACKET, Engine("bfloat16"), "cuda", free=True, seconds=600))
    assert gpu == [Engine("bfloat16", 1, "graph")]
    dropped = dataclasses.replace(BRACKET, dropout=0.1)
    assert list(candidates(dropped, Engine("bfloat16"), "cuda", free=True, seconds=600)) == []


def test_short_rungs_go_by_rule_and_long_ones_are_measured(monkeypatch) -> None:
    monkeypatch.setattr(engine_probe, "MEASURED_FROM", 1000.0)
    monkeypatch.setattr(engine_probe, "COMPILED_FROM", np.inf)
    monkeypatch.setattr(engine_probe, "_SECONDS", 0.05)
    long = dataclasses.replace(BRACKET, name="long", token_budgets=(64_000_000,))
    ladder = Ladder("l", "sotu", "bpe-257", (
        *(dataclasses.replace(rung, architecture=dataclasses.replace(SHAPE, n_vocab=257))
          for rung in (BRACKET, long)),
    ), RECIPE)  # fmt: skip
    engines = choose_engines(ladder, Probe("cpu", "float32", 1e11, 1), "float32")
    assert engines["b"] == {"precision": "float32", "packs": 1, "steps": "eager", "chosen": "rule"}
    assert engines["long"]["chosen"] == "measured"
    tried = engines["long"]["tried"]
    assert [row["packs"] for row in tried if row["steps"] == "eager"] == [1, 2, 4]
    assert all(row["step_seconds"] > 0 and row["deviation"] < 1e-4 for row in tried)
    assert read_engine({"engines": engines}, long, "float32").packs in (1, 2, 4)


def test_older_studies_train_as_one_pack_and_damaged_entries_are_refused() -> None:
    assert read_engine({}, BRACKET, "bfloat16") == Engine("bfloat16")
    whole = {"precision": "float32", "packs": 2, "steps": "eager"}
    assert read_engine({"engines": {"b": whole}}, BRACKET, "bfloat16").packs == 2
    for wrong in ({"packs": 0}, {"packs": True}, {"steps": "magic"}, {"precision": "int8"}):
        with pytest.raises(InputError, match=r"engines\.b is"):
            read_engine({"engines": {"b": {**whole, **wrong}}}, BRACKET, "float32")
    with pytest.raises(InputError, match=r"engines\.b is"):
        read_engine({"engines": []}, BRACKET, "float32")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_captured_step_gives_the_losses_of_an_eager_one() -> None:
    eager, graph = try_engines(
        BRACKET, RECIPE, "cuda", [Engine("bfloat16"), Engine("bfloat16", 1, "graph")]
    )
    assert graph.failure == ""
    assert graph.deviation == pytest.approx(eager.deviation, abs=1e-3)
