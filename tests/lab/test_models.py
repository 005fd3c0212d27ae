import itertools

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402, N812

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.accounting.params import count_params  # noqa: E402
from isoflop.lab.models.attention import CausalAttention  # noqa: E402
from isoflop.lab.models.cross_entropy import CrossEntropy  # noqa: E402
from isoflop.lab.models.layout import layout  # noqa: E402
from isoflop.lab.models.pack import make_pack  # noqa: E402
from isoflop.lab.models.rotary import rotary_table  # noqa: E402
from isoflop.lab.models.transformer import Transformer  # noqa: E402

CPU = torch.device("cpu")
KINDS = list(itertools.product((True, False), ("learned", "rotary")))


def make_shape(tied: bool, positions: str) -> Architecture:
    return Architecture(
        n_layer=2,
        d_model=8,
        d_ff=24,
        d_attn=12,
        n_head=3,
        n_ctx=6,
        n_vocab=11,
        tied=tied,
        positions=positions,  # type: ignore[arg-type]
    )


def make_model(shape: Architecture, seeds: list[tuple[int, int]]):
    placed = {"base_width": 32, "device": CPU, "dtype": torch.float32}
    return Transformer(shape, **placed), make_pack(shape, seeds, **placed)


@pytest.mark.parametrize(("tied", "positions"), KINDS)
def test_the_model_has_exactly_the_parameters_that_are_counted(tied, positions) -> None:
    shape = make_shape(tied, positions)
    weights = {w.name: w.size for w in layout(shape, 32)}
    counted = count_params(shape)
    embedding = weights.pop("embedding") + weights.pop("positions", 0)
    assert embedding == counted.embedding
    assert weights.pop("head", 0) == counted.head
    assert sum(weights.values()) == counted.non_embedding
    _, pack = make_model(shape, [(0, 0), (0, 1), (0, 2)])
    assert pack.master.numel() == 3 * counted.total


@pytest.mark.parametrize(("tied", "positions"), KINDS)
def test_a_prediction_sees_no_later_token_and_no_other_model(tied, positions) -> None:
    model, pack = make_model(make_shape(tied, positions), [(0, 0), (0, 1)])
    pack.master.add_(torch.randn(pack.master.shape, generator=torch.Generator().manual_seed(0)))
    inputs = torch.randint(0, 11, (2, 3, 6), generator=torch.Generator().manual_seed(1))
    changed = inputs.clone()
    changed[0, 1, 4] = (changed[0, 1, 4] + 1) % 11
    before, after = (model.logits(pack.weights, x).view(2, 3, 6, 11) for x in (inputs, changed))
    moved = (before != after).any(-1)
    expected = torch.zeros(2, 3, 6, dtype=torch.bool)
    expected[0, 1, 4:] = True
    assert torch.equal(moved, expected)


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("rotary", [True, False])
def test_the_gradient_of_attention_is_its_derivative(rotary, heads) -> None:
    qkv = torch.randn(3, 5, 12 * heads, dtype=torch.float64, requires_grad=True)
    mask = torch.full((5, 5), -torch.inf, dtype=torch.float64).triu(1)
    table = rotary_table(5, 4, CPU, torch.float64) if rotary else None
    assert torch.autograd.gradcheck(lambda x: CausalAttention.apply(x, mask, heads, table), (qkv,))


def test_attention_leaves_its_input_alone() -> None:
    qkv = torch.randn(3, 5, 12)
    before = qkv.clone()
    mask = torch.full((5, 5), -torch.inf).triu(1)
    CausalAttention.apply(qkv, mask, 1, rotary_table(5, 4, CPU, torch.float32))
    assert torch.equal(qkv, before)


def test_attention_without_rotation_is_that_of_torch() -> None:
    qkv = torch.randn(3, 5, 24)
    mask = torch.full((5, 5), -torch.inf).triu(1)
    parts = [x.reshape(3, 5, 2, 4).transpose(1, 2) for x in qkv.chunk(3, -1)]
    expected = F.scaled_dot_product_attention(*parts, is_causal=True)
    found = CausalAttention.apply(qkv, mask, 2, None)
    torch.testing.assert_close(found, expected.transpose(1, 2).reshape(3, 5, 8))


def test_cross_entropy_and_its_gradient_are_those_of_torch() -> None:
    logits = torch.randn(2, 5, 7, requires_grad=True)
    targets = torch.randint(0, 7, (2, 5))
    losses = CrossEntropy.apply(logits, targets)
    losses.sum().backward()
    found, logits.grad = logits.grad, None
    per_token = F.cross_entropy(logits.view(-1, 7), targets.view(-1), reduction="none")
    expected = per_token.view(2, 5).mean(1)
    expected.sum().backward()
    torch.testing.assert_close(losses, expected)
    torch.testing.assert_close(found, logits.grad)


def test_a_model_starts_the_same_whoever_it_is_packed_with() -> None:
    shape = make_shape(False, "learned")
    packed = make_model(shape, [(3, 0), (3, 1)])[1].weights
    alone = make_model(shape, [(3, 1)])[1].weights
    for name, weight in alone.items():
        assert torch.equal(packed[name][1], weight[0])
