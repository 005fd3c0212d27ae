"""Causal attention of packed models with its own backward.

Left to autograd, the rotation, the copies between layouts and their bookkeeping took a third of
a small model's step. Shapes: G = K·R sequences, s = n_ctx, h heads of width e, a = h·e.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from isoflop.lab.models.dropout import Drop
from isoflop.lab.models.rotary import RotaryTable, rotate, rotate_back


class CausalAttention(Function):
    """softmax(q·kᵀ/√e + mask)·v for every sequence and head."""

    @staticmethod
    def forward(
        ctx: Any, qkv: Tensor, mask: Tensor, n_head: int, table: RotaryTable | None
    ) -> Tensor:
        """Return (G, s, a) from (G, s, 3·a).

        Args:
            ctx: kept for the backward pass.
            qkv: queries, keys and values side by side.
            mask: (s, s), −∞ above the diagonal.
            n_head: h.
            table: rotary table, None without rotation.
        """
        # A copy always: with one head reshape would give a view of qkv, rotated in place below.
        states = split_triple(qkv, n_head).clone(memory_format=torch.contiguous_format)
        states, width = states.flatten(1, 2), states.shape[-1]
        if table is not None:
            states[:2] = rotate(states[:2], table)
        query, key, value = states.unbind(0)
        scores = torch.baddbmm(mask, query, key.transpose(1, 2), alpha=width**-0.5)
        weights = torch.softmax(scores, -1)
        ctx.save_for_backward(states, weights)
        ctx.n_head, ctx.table = n_head, table
        return merge_heads(torch.bmm(weights, value), n_head)

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, None, None, None]:
        """Return the gradient of qkv."""
        states, weights = ctx.saved_tensors
        query, key, value = states.unbind(0)
        width = query.shape[-1]
        outer = split_heads(gradients[0], ctx.n_head)
        d_weights = torch.bmm(outer, value.transpose(1, 2))
        d_scores = torch.ops.aten._softmax_backward_data(d_weights, weights, -1, weights.dtype)
        d_scores.mul_(width**-0.5)
        d_states = torch.empty_like(states)
        torch.bmm(d_scores, key, out=d_states[0])
        torch.bmm(d_scores.transpose(1, 2), query, out=d_states[1])
        torch.bmm(weights.transpose(1, 2), outer, out=d_states[2])
        if ctx.table is not None:
            d_states[:2] = rotate_back(d_states[:2], ctx.table)
        return merge_triple(d_states, ctx.n_head), None, None, None


def attend_dropped(
    qkv: Tensor, mask: Tensor, n_head: int, table: RotaryTable | None, drop: Drop
) -> Tensor:
    """The same with dropout on the attention weights; autograd's backward, so slower.

    Args:
        qkv: (G, s, 3·a).
        mask: (s, s), −∞ where a query must not look.
        n_head: h.
        table: rotary table, None without rotation.
        drop: dropout.
    """
    states = split_triple(qkv, n_head).flatten(1, 2)
    query, key, value = states.unbind(0)
    if table is not None:
        query, key = rotate(query, table), rotate(key, table)
    scores = torch.baddbmm(mask, query, key.transpose(1, 2), alpha=query.shape[-1] ** -0.5)
    return merge_heads(torch.bmm(drop(torch.softmax(scores, -1)), value), n_head)


def causal_mask(n_ctx: int, band: int | None, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return (s, s): 0 for the `band` keys up to the query's own, all if None, −∞ elsewhere.

    >>> causal_mask(3, 2, torch.device("cpu"), torch.float32).exp().tolist()
    [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]
    """
    seen = torch.ones(n_ctx, n_ctx, dtype=torch.bool, device=device).tril()
    if band is not None:
        seen = seen.triu(1 - band)
    return torch.zeros(n_ctx, n_ctx, device=device, dtype=dtype).masked_fill(~seen, -torch.inf)


def split_triple(qkv: Tensor, n_head: int) -> Tensor:
    """Return (3, G, h, s, e), a view, from (G, s, 3·h·e)."""
    groups, context, triple = qkv.shape
    split = qkv.view(groups, context, 3, n_head, triple // 3 // n_head)
    return split.permute(2, 0, 3, 1, 4)


def split_heads(states: Tensor, n_head: int) -> Tensor:
    """Return (G·h, s, e) from (G, s, h·e)."""
    groups, context, total = states.shape
    split = states.view(groups, context, n_head, total // n_head).transpose(1, 2)
    return split.reshape(groups * n_head, context, total // n_head)


def merge_heads(states: Tensor, n_head: int) -> Tensor:
    """Return (G, s, h·e) from (G·h, s, e)."""
    batch, context, width = states.shape
    merged = states.view(batch // n_head, n_head, context, width).transpose(1, 2)
    return merged.reshape(batch // n_head, context, n_head * width)


def merge_triple(states: Tensor, n_head: int) -> Tensor:
    """Return (G, s, 3·h·e) from (3, G·h, s, e)."""
    three, batch, context, width = states.shape
    merged = states.view(three, batch // n_head, n_head, context, width).permute(1, 3, 0, 2, 4)
    return merged.reshape(batch // n_head, context, three * n_head * width)
