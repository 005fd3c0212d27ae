"""Banded attention against torch's, by every kernel."""

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402, N812
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from isoflop.lab.models.attention import CausalAttention, causal_mask  # noqa: E402
from isoflop.lab.models.band import (  # noqa: E402
    BandAttention,
    attend_band,
    choose_kernel,
    keys_multiplied,
)
from isoflop.lab.models.rotary import rotary_table  # noqa: E402

CPU = torch.device("cpu")


def reference(qkv: torch.Tensor, n_head: int, band: int) -> torch.Tensor:
    """Torch's attention under a mask written out pair by pair."""
    groups, context, triple = qkv.shape
    width = triple // 3 // n_head
    parts = [x.reshape(groups, context, n_head, width).transpose(1, 2) for x in qkv.chunk(3, -1)]
    seen = torch.tensor([[q - band < k <= q for k in range(context)] for q in range(context)])
    mixed = F.scaled_dot_product_attention(*parts, attn_mask=seen)
    return mixed.transpose(1, 2).reshape(groups, context, -1)


@pytest.mark.parametrize("kernel", ["masked", "blocked"])
@pytest.mark.parametrize(("context", "band"), [(12, 1), (12, 3), (12, 5), (7, 4), (6, 6), (5, 1)])
def test_banded_attention_is_that_of_torch_under_a_mask(kernel, context, band) -> None:
    qkv = torch.randn(3, context, 24, dtype=torch.float64)
    mask = causal_mask(context, band, CPU, torch.float64)
    found = attend_band(qkv, mask, 2, None, band=band, kernel=kernel)
    torch.testing.assert_close(found, reference(qkv, 2, band))


@pytest.mark.parametrize("rotary", [True, False])
@pytest.mark.parametrize(("context", "band"), [(6, 2), (7, 3), (4, 4)])
def test_the_gradient_of_blocked_attention_is_its_derivative(context, band, rotary) -> None:
    qkv = torch.randn(2, context, 24, dtype=torch.float64, requires_grad=True)
    table = rotary_table(context, 4, CPU, torch.float64) if rotary else None
    assert torch.autograd.gradcheck(lambda x: BandAttention.apply(x, 2, table, band), (qkv,))


def test_blocked_attention_with_rotation_is_the_masked_one() -> None:
    table = rotary_table(10, 4, CPU, torch.float64)
    qkv, other = (torch.randn(2, 10, 24, dtype=torch.float64).requires_grad_() for _ in range(2))
    other.data.copy_(qkv.data)
    before = qkv.detach().clone()
    weights = torch.randn(2, 10, 8, dtype=torch.float64)
    found = BandAttention.apply(qkv, 2, table, 3)
    mask = causal_mask(10, 3, CPU, torch.float64)
    expected = CausalAttention.apply(other, mask, 2, table)
    torch.testing.assert_close(found, expected)
    assert torch.equal(qkv, before)
    for each in (found, expected):
        (each * weights).sum().backward()
    torch.testing.assert_close(qkv.grad, other.grad)


@pytest.mark.parametrize(("context", "band"), [(64, 8), (60, 8), (256, 16)])
def test_blocks_multiply_two_bands_a_query_and_no_more(context, band) -> None:
    qkv = torch.randn(2, context, 24, requires_grad=True)
    mask = causal_mask(context, band, CPU, torch.float32)
    counted = {}
    for kernel in ("masked", "blocked"):
        counter = FlopCounterMode(display=False)
        with counter:
            attend_band(qkv, mask, 2, None, band=band, kernel=kernel).sum().backward()
        counted[kernel] = counter.get_total_flops()
        keys = keys_multiplied(context, band, kernel)
        assert counted[kernel] == 3 * 4 * 8 * keys * 2 * context
    assert counted["blocked"] < counted["masked"] * 2.3 * band / context


def test_blocks_are_chosen_where_the_context_holds_several_bands() -> None:
    assert choose_kernel(1024, 64, "auto") == "blocked"
    assert choose_kernel(64, 48, "auto") == "masked"
    assert choose_kernel(64, 48, "blocked") == "blocked"


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_flex_attention_gives_the_same_on_a_cpu() -> None:
    qkv = torch.randn(2, 128, 96)
    table = rotary_table(128, 16, CPU, torch.float32)
    mask = causal_mask(128, 20, CPU, torch.float32)
    with torch.no_grad():
        found, expected = (
            attend_band(qkv, mask, 2, table, band=20, kernel=kernel)  # type: ignore[arg-type]
            for kernel in ("flex", "masked")
        )
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
