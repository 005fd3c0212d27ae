"""What holds for every family: counts, causality, packing, learning."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from small_models import CONTEXT, CPU, MODELS, VOCAB, make, shake, tokens  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.accounting.convolution import Convolutional  # noqa: E402
from isoflop.accounting.flops import flops_per_token  # noqa: E402
from isoflop.accounting.lstm import Lstm  # noqa: E402
from isoflop.accounting.params import count_params  # noqa: E402
from isoflop.accounting.transformer import Transformer  # noqa: E402
from isoflop.base.errors import InputError  # noqa: E402
from isoflop.lab.data.stream import TokenStream  # noqa: E402
from isoflop.lab.loop import Trainer  # noqa: E402
from isoflop.lab.models.band import keys_multiplied  # noqa: E402
from isoflop.lab.models.cross_entropy import CrossEntropy  # noqa: E402
from isoflop.lab.models.layout import layout  # noqa: E402
from isoflop.runs.ladders.ladder import Recipe, Rung  # noqa: E402

every_family = pytest.mark.parametrize("name", MODELS)


@every_family
def test_a_model_has_exactly_the_parameters_that_are_counted(name: str) -> None:
    model = MODELS[name]
    counted = count_params(model)
    weights = {w.name: w.size for w in layout(model, 32)}
    assert weights.pop("embedding") + weights.pop("positions", 0) == counted.embedding
    assert weights.pop("head", 0) == counted.head
    assert sum(weights.values()) == counted.non_embedding
    _, pack = make(model, [(0, 0), (0, 1)])
    assert sum(weight.numel() for weight in pack.weights.values()) == 2 * counted.total
    assert pack.master.numel() == 2 * counted.total


@every_family
def test_every_parameter_moves_the_loss(name: str) -> None:
    """No weight is counted that is not used."""
    model, pack = make(MODELS[name], [(0, 0)])
    shake(pack)
    inputs = tokens(1, 6)
    logits = model.logits(pack.weights, inputs)
    CrossEntropy.apply(logits, tokens(1, 6, seed=2).flatten(1)).sum().backward()
    unread = {key for key, w in pack.weights.items() if (w.grad == 0).all(-1).any()}
    assert not unread - {"embedding"}  # a token may be absent from the inputs


@every_family
@pytest.mark.parametrize("place", [0, 4, CONTEXT - 1])
def test_a_later_token_never_changes_an_earlier_prediction(name: str, place: int) -> None:
    model, pack = make(MODELS[name], [(0, 0), (0, 1)])
    shake(pack)
    inputs = tokens(2, 3)
    changed = inputs.clone()
    changed[0, 1, place] = (changed[0, 1, place] + 1) % VOCAB
    before, after = (
        model.logits(pack.weights, x).view(2, 3, CONTEXT, VOCAB) for x in (inputs, changed)
    )
    moved = (before != after).any(-1)
    assert moved[0, 1, place]
    moved[0, 1, place:] = False
    assert not moved.any()  # nothing earlier, no other row, no other model


@every_family
@pytest.mark.parametrize("seed", [0, 1])
def test_a_model_computes_the_same_whoever_it_is_packed_with(name: str, seed: int) -> None:
    together, alone = make(MODELS[name], [(3, 0), (3, 1)]), make(MODELS[name], [(3, seed)])
    for key, weight in alone[1].weights.items():
        assert torch.equal(together[1].weights[key][seed], weight[0])
    with torch.no_grad():
        for key, weight in alone[1].weights.items():
            noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(len(key)))
            weight.add_(noise)
            together[1].weights[key][seed].copy_(weight[0])
    inputs = tokens(2, 3)
    found = together[0].logits(together[1].weights, inputs)[seed]
    expected = alone[0].logits(alone[1].weights, inputs[seed : seed + 1])[0]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


count_quietly = pytest.mark.filterwarnings("ignore:TF32 acceleration on top of oneDNN")
"""Torch's switch of oneDNN warns of a setting that it does not change."""


def not_multiplied(model) -> float:
    """Training FLOPs per token that are counted, less those that a step multiplies as products."""
    if isinstance(model, Transformer):
        layers = sum(model.is_banded(i) for i in range(model.n_layer)) * model.passes
        extra = keys_multiplied(CONTEXT, model.band) - model.band if layers else 0
        return -3 * 4 * layers * model.shape.d_attn * extra
    if isinstance(model, Lstm):  # the state before the first token needs no gradient
        widths = [12, 8 if model.tied else 12]
        return 2 * sum(4 * h * h for h in widths) / CONTEXT
    if isinstance(model, Convolutional) and model.kind == "separable":  # filters are elementwise
        return 3 * 2 * model.n_layer * model.kernel * model.d_model
    return 0.0


@count_quietly
@every_family
def test_a_step_multiplies_what_is_counted(name: str) -> None:
    model, pack = make(MODELS[name], [(0, 0), (0, 1)])
    inputs = tokens(2, 5)
    counter = FlopCounterMode(display=False)
    # Without oneDNN torch's LSTM is made of products that the counter sees.
    with torch.backends.mkldnn.flags(enabled=False), counter:
        logits = model.logits(pack.weights, inputs)
        CrossEntropy.apply(logits, inputs.flatten(1)).sum().backward()
    expected = flops_per_token(MODELS[name]).matmul - not_multiplied(MODELS[name])
    assert counter.get_total_flops() == pytest.approx(expected * inputs.numel(), rel=1e-12)


@every_family
def test_windows_beyond_the_positions_are_refused_where_there_are_positions(name: str) -> None:
    model, pack = make(MODELS[name], [(0, 0)])
    longer = tokens(1, 2, CONTEXT + 1)
    if isinstance(MODELS[name], Lstm | Convolutional):
        assert model.logits(pack.weights, longer).shape == (1, 2 * (CONTEXT + 1), VOCAB)
        return
    with pytest.raises(InputError, match=r"windows of 9 tokens, but the \w+ positions end at n_ct"):
        model.logits(pack.weights, longer)


@every_family
def test_bfloat16_gives_nearly_the_same(name: str) -> None:
    losses = {}
    for dtype in (torch.float32, torch.bfloat16):
        model, pack = make(MODELS[name], [(0, 0)], dtype)
        shake(pack)
        logits = model.logits(pack.weights, tokens(1, 20))
        losses[dtype] = float(CrossEntropy.apply(logits, tokens(1, 20, seed=2).flatten(1)).detach())
    assert losses[torch.bfloat16] == pytest.approx(losses[torch.float32], rel=0.03)


TEXT = (np.arange(20_000) ** 2 // 7 % 64).astype(np.uint16)
TRAINED = {
    "plain": Architecture(2, 16, n_head=2, n_ctx=16, n_vocab=64, positions="rotary"),
    "alternating gated": Transformer(
        Architecture(2, 16, n_head=2, n_ctx=16, n_vocab=64), "alternating", 4, gated=True
    ),
    "recurrent": Transformer(Architecture(1, 16, n_ctx=16, n_vocab=64, tied=False), passes=2),
    "lstm": Lstm(2, 16, n_vocab=64, tied=False, n_ctx=16),
    "conv": Convolutional(2, 16, 4, n_vocab=64, n_ctx=16),
    "conv separable": Convolutional(2, 16, 4, "separable", n_vocab=64, n_ctx=16),
}


def make_trainer(name: str, seeds: list[int], dropout: float) -> Trainer:
    rung = Rung("a", TRAINED[name], len(seeds), (6400,), dropout=dropout)
    streams = [TokenStream(TEXT, 16, (0, seed)) for seed in seeds]
    roots = [(0, seed) for seed in seeds]
    recipe = Recipe(batch_tokens=64, lr=0.004)
    return Trainer(rung, recipe, streams, seeds=roots, device=CPU, dtype=torch.float32)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("name", TRAINED)
def test_packed_models_train_like_models_alone_and_learn(name: str, dropout: float) -> None:
    packed = make_trainer(name, [0, 1], dropout)
    first = packed.advance(0, 1, lambda step: 0.004).train_loss
    together = packed.advance(1, 60, lambda step: 0.004).train_loss
    for seed in (0, 1):
        alone = make_trainer(name, [seed], dropout).advance(0, 60, lambda step: 0.004)
        mean = (first[seed] + 59 * together[seed]) / 60
        assert mean == pytest.approx(alone.train_loss[0], rel=1e-4)
    assert (together < first - 0.3).all()


def test_dropout_of_a_resumed_run_is_that_of_the_uninterrupted_one() -> None:
    whole, parts = make_trainer("plain", [0, 1], 0.1), make_trainer("plain", [0, 1], 0.1)
    whole.advance(0, 20, lambda step: 0.004)
    for first, last in ((0, 7), (7, 20)):
        parts.advance(first, last, lambda step: 0.004)
    for name, tensor in whole.optimizer.state().items():
        assert torch.equal(tensor, parts.optimizer.state()[name])
