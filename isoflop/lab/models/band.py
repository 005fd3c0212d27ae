"""Locally banded causal attention, by blocks: only blocks that the band touches are computed.

A query looks at the w = band keys up to its own, as the banded layers of GPT-3 do (after Child et
al. 2019). Blocks are w long, so a block's queries need its own keys and those of the block before:
2·w products a query instead of s. The masked way computes all s and is faster while s is short.
Shapes: G sequences, s tokens, h heads of width e, n = ⌈s/w⌉ blocks, B = G·h.
"""

from typing import Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from isoflop.lab.models.attention import (
    CausalAttention,
    causal_mask,
    merge_heads,
    merge_triple,
    split_heads,
    split_triple,
)
from isoflop.lab.models.rotary import RotaryTable, rotate, rotate_back

Kernel = Literal["auto", "masked", "blocked", "flex"]
"""How a banded layer is computed: `masked` all products, `blocked` those of the band's blocks,
`flex` torch's flex_attention (a GPU; not measured yet, so `auto` never takes it)."""

PAYS_FROM_CONTEXT, PAYS_FROM_BANDS = 256, 4
"""Contexts this long, and this many bands long, are computed by blocks; measured, docs/LOG.md."""


def keys_multiplied(n_ctx: int, band: int, kernel: Kernel = "auto") -> float:
    """Return the keys that one query is multiplied with, the mean over a window.

    >>> keys_multiplied(256, 16), keys_multiplied(64, 16)
    (32.0, 64.0)
    """
    if choose_kernel(n_ctx, band, kernel) == "masked":
        return float(n_ctx)
    return 2 * band * (-(-n_ctx // band) * band) / n_ctx


def choose_kernel(n_ctx: int, band: int, kernel: Kernel) -> Kernel:
    """Return the kernel that `auto` stands for."""
    if kernel != "auto":
        return kernel
    pays = n_ctx >= PAYS_FROM_CONTEXT and n_ctx >= PAYS_FROM_BANDS * band
    return "blocked" if pays else "masked"


def attend_band(
    qkv: Tensor,
    mask: Tensor,
    n_head: int,
    table: RotaryTable | None,
    *,
    band: int,
    kernel: Kernel = "auto",
) -> Tensor:
    """Return (G, s, a) from (G, s, 3·a), whichever the kernel.

    Args:
        qkv: queries, keys and values side by side.
        mask: (s, s), −∞ outside the band; what the masked kernel adds.
        n_head: h.
        table: rotary table, None without rotation.
        band: w.
        kernel: see `Kernel`.
    """
    kernel = choose_kernel(qkv.shape[1], band, kernel)
    if kernel == "flex":
        from isoflop.lab.models.flex import attend_flex

        return attend_flex(qkv, n_head, table, band=band)
    if kernel == "blocked":
        return BandAttention.apply(qkv, n_head, table, band)
    return CausalAttention.apply(qkv, mask, n_head, table)


class BandAttention(Function):
    """Banded attention over blocks of w queries and their 2·w keys, with its own backward."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, n_head: int, table: RotaryTable | None, band: int) -> Tensor:
        """Return (G, s, a) from (G, s, 3·a)."""
        context = qkv.shape[1]
        states = split_triple(qkv, n_head).flatten(1, 2)
        if table is not None:
            states = torch.cat((rotate(states[:2], table), states[2:]))
        query, key, value = _blocks(states, band)
        key, value = _windows(key), _windows(value)
        scores = torch.baddbmm(
            _block_mask(band, qkv), query.flatten(0, 1), key.transpose(1, 2),
            alpha=query.shape[-1] ** -0.5,
        )  # fmt: skip
        # The first block has none before it: the zeros that stand there must not be seen.
        scores.view(*query.shape[:2], band, 2 * band)[:, 0, :, :band] = -torch.inf
        weights = torch.softmax(scores, -1)
        ctx.save_for_backward(query, key, value, weights)
        ctx.n_head, ctx.table, ctx.context = n_head, table, context
        mixed = torch.bmm(weights, value).view(query.shape[0], -1, query.shape[-1])
        return merge_heads(mixed[:, :context], n_head)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, None, None, None]:
        """Return the gradient of qkv."""
        query, key, value, weights = ctx.saved_tensors
        batch, blocks, band, width = query.shape
        outer = split_heads(gradients[0].contiguous(), ctx.n_head)
        outer = _blocks(outer, band).flatten(0, 1)
        d_weights = torch.bmm(outer, value.transpose(1, 2))
        d_scores = torch.ops.aten._softmax_backward_data(d_weights, weights, -1, weights.dtype)
        d_scores.mul_(width**-0.5)
        d_states = query.new_empty(3, batch, blocks * band, width)
        d_states[0] = torch.bmm(d_scores, key).view(batch, -1, width)
        d_key = torch.bmm(d_scores.transpose(1, 2), query.flatten(0, 1))
        d_states[1] = _fold(d_key.view(batch, blocks, 2 * band, width))
        d_value = torch.bmm(weights.transpose(1, 2), outer)
        d_states[2] = _fold(d_value.view(batch, blocks, 2 * band, width))
        d_states = d_states[:, :, : ctx.context]
        if ctx.table is not None:
            d_states[:2] = rotate_back(d_states[:2], ctx.table)
        return merge_triple(d_states.contiguous(), ctx.n_head), None, None, None


def _blocks(states: Tensor, band: int) -> Tensor:
    """Return (…, n, w, e) from (…, s, e), zeros after the end."""
    missing = -states.shape[-2] % band
    padded = F.pad(states, (0, 0, 0, missing)) if missing else states.contiguous()
    return padded.view(*padded.shape[:-2], -1, band, padded.shape[-1])


def _windows(blocks: Tensor) -> Tensor:
    """Return (B·n, 2·w, e): every block after the one before it, zeros before the first."""
    before = F.pad(blocks[:, :-1], (0, 0, 0, 0, 1, 0))
    return torch.cat((before, blocks), 2).flatten(0, 1)


def _fold(windows: Tensor) -> Tensor:
    """Return (B, n·w, e), the transpose of `_windows`: each key's two shares added."""
    batch, blocks, double, width = windows.shape
    own = windows[:, :, double // 2 :].contiguous()
    own[:, :-1] += windows[:, 1:, : double // 2]
    return own.view(batch, blocks * double // 2, width)


def _block_mask(band: int, like: Tensor) -> Tensor:
    """Return (w, 2·w): query i of a block sees window keys i + 1 … i + w."""
    return causal_mask(2 * band, band, like.device, like.dtype)[band:]
