"""Held-out loss: the same tokens, in the same order, for every model of every rung."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from isoflop.lab.models.families import LanguageModel
from isoflop.lab.models.pack import Pack

TOKENS_AT_ONCE = 8192
"""Tokens of one forward pass over the whole pack: stays in cache on a CPU, busy on a GPU."""
_SMALLEST = 1e-37
"""Keeps log(p) finite, as in training: a loss above 85 nats is reported as 85."""


def held_out_loss(model: LanguageModel, pack: Pack, windows: torch.Tensor) -> NDArray[np.float64]:
    """Return (K,) mean losses in nats per token; see `position_losses`."""
    return position_losses(model, pack, windows).mean(axis=1)


@torch.no_grad()
def position_losses(model: LanguageModel, pack: Pack, windows: torch.Tensor) -> NDArray[np.float64]:
    """Return (K, n_ctx) mean losses by position, nats per token.

    Column T − 1 holds L(T): tokens predicted from T tokens of context, themselves not counted.

    Args:
        model: the forward pass.
        pack: K models; its low-precision weights are refreshed here.
        windows: (rows, n_ctx + 1) int64 held-out tokens, on the model's device.
    """
    pack.refresh()
    packed = next(iter(pack.weights.values())).shape[0]
    total = sum_losses(lambda inputs: model.logits(pack.weights, inputs), packed, windows)
    return total / len(windows)


@torch.no_grad()
def sum_losses(
    logits: Callable[[torch.Tensor], torch.Tensor],
    packed: int,
    windows: torch.Tensor,
    counted: int | None = None,
) -> NDArray[np.float64]:
    """Return (K, n_ctx) losses by position, summed over the windows.

    Args:
        logits: (K, T, V) of (K, R, n_ctx) tokens.
        packed: K.
        windows: (rows, n_ctx + 1) int64 tokens.
        counted: how many of the windows, the first ones, enter the sum; all by default.
    """
    left = len(windows) if counted is None else counted
    context = windows.shape[1] - 1
    at_once = max(1, TOKENS_AT_ONCE // (packed * context))
    total = np.zeros((packed, context))
    for part in windows.split(at_once):
        inputs = part[:, :-1].expand(packed, -1, -1)
        targets = part[:, 1:].expand(packed, -1, -1).reshape(packed, -1, 1)
        probabilities = torch.softmax(logits(inputs), -1, dtype=torch.float32)
        picked = probabilities.gather(-1, targets).clamp_min_(_SMALLEST).log_()
        by_row = picked.view(packed, len(part), context)
        total -= by_row[:, : max(0, left)].sum(1, dtype=torch.float64).cpu().numpy()
        left -= len(part)
    return total
