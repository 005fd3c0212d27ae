"""Forward passes written again, with torch's own layers, model by model."""

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402, N812
from small_models import MODELS, make, plain, shake, tokens  # noqa: E402

from isoflop.accounting.convolution import Convolutional  # noqa: E402
from isoflop.accounting.transformer import Transformer  # noqa: E402


def norm(states: torch.Tensor) -> torch.Tensor:
    centred = states - states.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()


@pytest.mark.parametrize("name", ["conv", "conv ungated", "conv separable"])
def test_convolutions_are_those_of_torch(name: str) -> None:
    shape = MODELS[name]
    assert isinstance(shape, Convolutional)
    model, pack = make(shape, [(0, 0), (0, 1)])
    shake(pack)
    inputs = tokens(2, 3)
    for k in range(2):
        w = {key: weight[k].detach() for key, weight in pack.weights.items()}
        hidden = w["embedding"][inputs[k]]
        for i in range(shape.n_layer):
            states = F.pad(norm(hidden).transpose(1, 2), (shape.kernel - 1, 0))
            if shape.kind == "full":
                taps = w[f"{i}.mix"].view(shape.kernel, shape.d_model, -1)
                mixed = F.conv1d(states, taps.permute(2, 1, 0)).transpose(1, 2)
            else:
                taps = w[f"{i}.filter"].T.unsqueeze(1)
                seen = F.conv1d(states, taps, groups=shape.d_model).transpose(1, 2)
                mixed = seen @ w[f"{i}.mix"]
            left, right = mixed[..., : shape.d_model], mixed[..., shape.d_model :]
            branch = left * torch.sigmoid(right) if shape.gated else F.gelu(mixed)
            hidden = hidden + branch / shape.n_layer**0.5
        out = norm(hidden)
        logits = out @ w["head"] if "head" in w else out @ w["embedding"].T * 32**0.5 / 8
        found = model.logits(pack.weights, inputs)[k].view(3, 8, -1)
        torch.testing.assert_close(found, logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["lstm", "lstm tied"])
def test_an_lstm_is_gates_over_a_state(name: str) -> None:
    """Hochreiter & Schmidhuber 1997 with Gers' forget gate, written out token by token."""
    model, pack = make(MODELS[name], [(0, 0), (0, 1)])
    shake(pack)
    inputs = tokens(2, 3)
    for k in range(2):
        w = {key: weight[k].detach() for key, weight in pack.weights.items()}
        states = norm(w["embedding"][inputs[k]])
        for i in range(2):
            hidden = cell = torch.zeros(3, w[f"{i}.state"].shape[0])
            outputs = []
            for token in states.unbind(1):
                gates = token @ w[f"{i}.input"] + hidden @ w[f"{i}.state"]
                into, forget, new, out = gates.chunk(4, -1)
                cell = torch.sigmoid(forget + 1) * cell + torch.sigmoid(into) * torch.tanh(new)
                hidden = torch.sigmoid(out) * torch.tanh(cell)
                outputs.append(hidden)
            states = norm(torch.stack(outputs, 1))
        head = w["head"] if "head" in w else w["embedding"].T * 32**0.5 / 8
        found = model.logits(pack.weights, inputs)[k].view(3, 8, -1)
        torch.testing.assert_close(found, states @ head, rtol=1e-4, atol=1e-4)


def test_passes_are_layers_that_share_their_weights() -> None:
    shared, pack = make(Transformer(plain(tied=False), passes=3), [(0, 0)])
    shake(pack)
    deep, _ = make(plain(tied=False, n_layer=6), [(0, 0)])
    weights = dict(pack.weights)
    for i in range(2, 6):
        for part in ("qkv", "out", "up", "down"):
            weights[f"{i}.{part}"] = weights[f"{i % 2}.{part}"]
    inputs = tokens(1, 4)
    found, expected = shared.logits(pack.weights, inputs), deep.logits(weights, inputs)
    torch.testing.assert_close(found, expected)


def test_alternating_layers_are_dense_first_then_banded() -> None:
    """One layer of two: changing a token beyond the band moves a dense layer's output only."""
    for span, reach in (("alternating", True), ("banded", False)):
        model, pack = make(Transformer(plain(n_layer=1), span, 2), [(0, 0)])
        shake(pack)
        inputs = tokens(1, 1)
        changed = inputs.clone()
        changed[0, 0, 0] = (changed[0, 0, 0] + 1) % 11
        before, after = (model.logits(pack.weights, x)[0] for x in (inputs, changed))
        assert bool((before[-1] != after[-1]).any()) == reach
        assert (before[1] != after[1]).any()


def test_a_gated_layer_is_swiglu() -> None:
    model, pack = make(Transformer(plain(n_layer=1, tied=False), gated=True), [(0, 0)])
    shake(pack)
    with torch.no_grad():
        pack.weights["0.out"].zero_()
    inputs = tokens(1, 4)
    w = {key: weight[0].detach() for key, weight in pack.weights.items()}
    hidden = w["embedding"][inputs[0]] + w["positions"]
    gate, value = (norm(hidden) @ w["0.up"]).split(24, -1)
    hidden = hidden + (gate * torch.sigmoid(gate) * value) @ w["0.down"]
    expected = (norm(hidden) @ w["head"]).flatten(0, 1)
    found = model.logits(pack.weights, inputs)[0]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
