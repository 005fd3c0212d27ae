"""Banded, expert, recurrent, LSTM and convolutional models, against counts made another way."""

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.convolution import Convolutional
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.lstm import Lstm
from isoflop.accounting.params import count_active_params, count_groups, count_params
from isoflop.accounting.transformer import Experts, Transformer
from isoflop.base.errors import InputError

SHAPE = Architecture(n_layer=6, d_model=96, n_head=4, n_ctx=50, n_vocab=301, tied=False)


def pairs_seen(n_ctx: int, band: int) -> int:
    """Pairs of query and key that a causal mask of this band lets through, one by one."""
    return sum(0 <= query - key < band for query in range(n_ctx) for key in range(n_ctx))


@pytest.mark.parametrize("band", [1, 7, 49, 50])
def test_causal_attention_multiplies_the_pairs_that_the_mask_lets_through(band: int) -> None:
    banded = flops_per_token(Transformer(SHAPE, span="banded", band=band))
    without_scores = banded.kaplan + 6 * 96 * 301
    products = 3 * 6 * 4 * 96 * pairs_seen(50, band) / 50
    assert banded.matmul_causal - without_scores == pytest.approx(products, rel=1e-12)


def test_a_band_of_the_whole_context_is_dense_under_every_convention() -> None:
    dense = flops_per_token(SHAPE)
    assert flops_per_token(Transformer(SHAPE, span="banded", band=50)) == dense
    assert flops_per_token(Transformer(SHAPE, span="alternating", band=50)) == dense


@pytest.mark.parametrize("name", ["kaplan_attention", "deepseek", "chinchilla", "matmul_causal"])
def test_alternating_layers_cost_the_mean_of_dense_and_banded(name: str) -> None:
    dense = flops_per_token(SHAPE).to_dict()[name]
    banded = flops_per_token(Transformer(SHAPE, span="banded", band=8)).to_dict()[name]
    both = flops_per_token(Transformer(SHAPE, span="alternating", band=8)).to_dict()[name]
    assert both == pytest.approx((dense + banded) / 2, rel=1e-12)
    assert banded < both < dense


def test_an_odd_layer_left_over_by_alternation_is_dense() -> None:
    odd = Architecture(n_layer=3, d_model=64, n_ctx=100)
    two_dense = 2 * 4 * 64 * 100 + 4 * 64 * 10
    counted = flops_per_token(Transformer(odd, span="alternating", band=10))
    assert counted.deepseek - counted.kaplan == 3 * two_dense


def test_banded_attention_leaves_parameters_as_they_are() -> None:
    assert count_params(Transformer(SHAPE, span="banded", band=8)) == count_params(SHAPE)


def test_experts_store_all_and_multiply_the_active_ones() -> None:
    mixture = Transformer(SHAPE, experts=Experts(8, 2, n_shared=1, d_expert=40, n_layer=4))
    dense, expert, router = 2 * 96 * 384, 2 * 96 * 40, 96 * 8
    groups = count_groups(mixture)
    assert groups["feed_forward"] == 2 * dense + 4 * 9 * expert
    assert groups["router"] == 4 * router
    active = 6 * 4 * 96**2 + 2 * dense + 4 * (3 * expert + router)
    assert count_active_params(mixture).non_embedding == active
    assert flops_per_token(mixture).kaplan == 6 * active


def test_every_expert_active_is_a_wider_dense_model_but_for_the_router() -> None:
    wide = Architecture(n_layer=6, d_model=96, d_ff=4 * 384, n_head=4, n_ctx=50)
    mixture = Transformer(
        Architecture(n_layer=6, d_model=96, n_head=4, n_ctx=50), experts=Experts(4, 4)
    )
    router = 6 * 96 * 4
    assert count_params(mixture).total == count_params(wide).total + router
    assert count_active_params(mixture) == count_params(mixture)
    assert flops_per_token(mixture).matmul == flops_per_token(wide).matmul + 6 * router


def test_shared_layers_are_stored_once_and_multiplied_every_pass() -> None:
    def layers(n: int) -> Architecture:
        return Architecture(n_layer=n, d_model=96, n_head=4, n_ctx=50, n_vocab=301, tied=False)

    shared, stacked = Transformer(layers(2), passes=3), layers(6)
    assert count_params(shared) == count_params(layers(2))
    assert flops_per_token(shared).to_dict() == flops_per_token(stacked).to_dict()


def test_grouped_queries_save_keys_and_values_only() -> None:
    grouped = Transformer(SHAPE, n_kv_head=1)
    saved = 6 * 2 * 96 * (96 - 24)
    assert count_params(SHAPE).total - count_params(grouped).total == saved
    assert flops_per_token(SHAPE).matmul - flops_per_token(grouped).matmul == 6 * saved


def test_a_gate_is_a_third_matrix() -> None:
    more = count_params(Transformer(SHAPE, gated=True)).total - count_params(SHAPE).total
    assert more == 6 * 96 * 384


def test_an_lstm_has_the_weights_that_torch_allocates() -> None:
    torch = pytest.importorskip("torch")
    model = Lstm(n_layer=3, d_model=48, d_hidden=80, n_vocab=301, tied=False, biases=True)
    layers = torch.nn.LSTM(48, 80, num_layers=3)
    head = torch.nn.Linear(80, 301)
    expected = sum(p.numel() for m in (layers, head) for p in m.parameters()) + 301 * 48
    assert count_params(model).total == expected


def test_an_lstm_multiplies_each_weight_once_a_token() -> None:
    counted = flops_per_token(Lstm(n_layer=1, d_model=10, n_vocab=7))
    assert counted.kaplan == 6 * 4 * 10 * 20
    assert counted.kaplan_attention == counted.deepseek == counted.kaplan
    assert counted.matmul == counted.matmul_causal == counted.kaplan + 6 * 10 * 7
    assert counted.chinchilla == counted.matmul + 6 * 10 * 7


@pytest.mark.parametrize("gated", [True, False])
@pytest.mark.parametrize("kind", ["full", "separable"])
def test_convolutions_have_the_weights_that_torch_allocates(kind, gated: bool) -> None:
    torch = pytest.importorskip("torch")
    model = Convolutional(4, 24, 5, kind, gated, n_vocab=301, biases=True)
    outputs = 48 if gated else 24
    if kind == "full":
        layer = [torch.nn.Conv1d(24, outputs, 5)]
    else:
        layer = [torch.nn.Conv1d(24, 24, 5, groups=24), torch.nn.Conv1d(24, outputs, 1)]
    expected = 4 * sum(p.numel() for each in layer for p in each.parameters()) + 301 * 24
    assert count_params(model).total == expected
    weights = 4 * sum(each.weight.numel() for each in layer)
    assert flops_per_token(model).matmul == 6 * (weights + 24 * 301)


SPOILED = {
    "band of dense attention": (lambda: Transformer(SHAPE, band=3), "a band needs span"),
    "no band": (lambda: Transformer(SHAPE, span="banded"), "needs a band of 1 to n_ctx = 50"),
    "band beyond": (lambda: Transformer(SHAPE, span="banded", band=51), "found 51"),
    "odd groups": (lambda: Transformer(SHAPE, n_kv_head=3), "3 key-value heads do not divide 4"),
    "no pass": (lambda: Transformer(SHAPE, passes=0), "passes must be a positive integer"),
    "span": (lambda: Transformer(SHAPE, span="strided"), "span must be one of dense"),  # type: ignore[arg-type]
    "more active": (lambda: Experts(4, 5), "cannot be sent to 5 of 4 experts"),
    "no experts": (lambda: Experts(0, 1), "n_expert must be a positive integer, found 0"),
    "deep experts": (
        lambda: Transformer(SHAPE, experts=Experts(4, 2, n_layer=7)),
        "experts in 7 of 6 layers",
    ),
    "no hidden": (lambda: Lstm(0, 3), "n_layer must be a positive integer, found 0"),
    "no kernel": (lambda: Convolutional(2, 3, 0), "kernel must be a positive integer, found 0"),
}


@pytest.mark.parametrize("case", SPOILED)
def test_shapes_that_cannot_be_are_refused(case: str) -> None:
    make, message = SPOILED[case]
    with pytest.raises(InputError, match=message):
        make()
