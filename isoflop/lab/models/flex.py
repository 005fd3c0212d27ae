"""Banded attention through torch's flex_attention, which skips the blocks outside the band.

Written for a GPU, where it compiles to one kernel; its result is tested against the masked kernel
on a CPU, its speed has not been measured, so nothing chooses it unless asked to.
"""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from isoflop.lab.models.attention import split_triple
from isoflop.lab.models.rotary import RotaryTable, rotate


def attend_flex(qkv: Tensor, n_head: int, table: RotaryTable | None, *, band: int) -> Tensor:
    """Return (G, s, a) from (G, s, 3·a).

    Args:
        qkv: queries, keys and values side by side.
        n_head: heads.
        table: rotary table, None without rotation.
        band: keys that a query sees, its own included.
    """
    query, key, value = split_triple(qkv, n_head).unbind(0)
    if table is not None:
        query, key = rotate(query, table), rotate(key, table)
    context = qkv.shape[1]
    mixed = _kernel(qkv.is_cuda)(
        query, key, value, block_mask=_band_blocks(context, band, str(qkv.device))
    )
    return mixed.transpose(1, 2).reshape(qkv.shape[0], context, -1)


@cache
def _kernel(compiled: bool) -> Any:
    from torch.nn.attention.flex_attention import flex_attention

    return torch.compile(flex_attention) if compiled else flex_attention


@cache
def _band_blocks(context: int, band: int, device: str) -> Any:
    from torch.nn.attention.flex_attention import create_block_mask

    def seen(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (query >= key) & (query - key < band)

    return create_block_mask(seen, None, None, context, context, device=device)
