"""Held-out loss: the same tokens, in the same order, for every model of every rung."""

import numpy as np
import torch
from numpy.typing import NDArray

from isoflop.lab.models.cross_entropy import CrossEntropy
from isoflop.lab.models.families import LanguageModel
from isoflop.lab.models.pack import Pack

_TOKENS_AT_ONCE = 8192
"""Tokens of one forward pass over the whole pack: stays in cache on a CPU, busy on a GPU."""


@torch.no_grad()
def held_out_loss(model: LanguageModel, pack: Pack, windows: torch.Tensor) -> NDArray[np.float64]:
    """Return (K,) mean losses in nats per token.

    Args:
        model: the forward pass.
        pack: K models; its low-precision weights are refreshed here.
        windows: (rows, n_ctx + 1) int64 held-out tokens, on the model's device.
    """
    pack.refresh()
    packed = next(iter(pack.weights.values())).shape[0]
    at_once = max(1, _TOKENS_AT_ONCE // (packed * (windows.shape[1] - 1)))
    total = np.zeros(packed)
    for part in windows.split(at_once):
        inputs = part[:, :-1].expand(packed, -1, -1)
        targets = part[:, 1:].expand(packed, -1, -1).reshape(packed, -1)
        losses = CrossEntropy.apply(model.logits(pack.weights, inputs), targets)
        total += losses.double().cpu().numpy() * len(part)
    return total / len(windows)
