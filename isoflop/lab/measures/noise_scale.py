"""The gradient noise scale of models in training, from single contexts against all of them.

One context is the small batch, all of them together the big one; tokens are counted, as batches
are, so that B_simple is in tokens. The weights are left as they were. It is the scale of the plain
gradient (McCandlish et al. 2018), not of what the optimizer makes of it.
"""

from typing import Any

import numpy as np
import torch

from isoflop.fitting.batch.noise_scale import NoiseScale, gram_noise
from isoflop.lab.models.cross_entropy import CrossEntropy
from isoflop.lab.models.families import LanguageModel
from isoflop.lab.models.pack import Pack

GROUPS = 8
"""Of contexts, one left out at a time for the interval."""


def measure_noise(model: LanguageModel, pack: Pack, windows: torch.Tensor) -> list[NoiseScale]:
    """Measure the noise scale of every model of a pack.

    Args:
        model: the forward pass, without dropout.
        pack: K models; their gradients are overwritten.
        windows: (n, K, n_ctx + 1) int64 tokens, n at least twice `GROUPS`; the rest of a division
            by `GROUPS` is left out.

    Returns:
        K noise scales, batches in tokens.
    """
    per_group, packed = len(windows) // GROUPS, windows.shape[1]
    sums: list[torch.Tensor] = []
    squares = np.zeros((GROUPS, packed))
    for group in range(GROUPS):
        total = torch.zeros(0)
        for row in range(per_group):
            gradient = _gradient(model, pack, windows[group * per_group + row])
            squares[group] += (gradient**2).sum(1, dtype=torch.float64).cpu().numpy() / per_group
            total = gradient if row == 0 else total.add_(gradient)
        sums.append(total / per_group)
    gram = _gram(sums)
    context = windows.shape[2] - 1
    return [
        gram_noise(gram[k], squares[:, k], batch_small=context, per_group=per_group)
        for k in range(packed)
    ]


def noise_record(scales: list[NoiseScale]) -> dict[str, list[float | None]]:
    """Return the keys of a journal line, one value a model; null where |G|² is lost in noise."""
    ends = [each.batch for each in scales]
    found: dict[str, list[Any]] = {
        "grad_sq": [each.grad_sq.value for each in scales],
        "grad_trace": [each.trace.value for each in scales],
        "noise_scale": [each and each.value for each in ends],
        "noise_scale_low": [each and each.low for each in ends],
        "noise_scale_high": [each and each.high for each in ends],
    }
    return {
        key: [x if x is not None and np.isfinite(x) else None for x in values]
        for key, values in found.items()
    }


def _gradient(model: LanguageModel, pack: Pack, windows: torch.Tensor) -> torch.Tensor:
    """Return (K, P) float32 gradients of the mean loss of one context a model, a copy."""
    pack.refresh()
    logits = model.logits(pack.weights, windows[:, None, :-1])
    losses: torch.Tensor = CrossEntropy.apply(logits, windows[:, 1:])
    losses.sum().backward()
    parts = [_grad(weight).float().flatten(1) for weight in pack.weights.values()]
    return torch.cat(parts, dim=1)


def _grad(weight: torch.Tensor) -> torch.Tensor:
    assert weight.grad is not None
    return weight.grad


def _gram(means: list[torch.Tensor]) -> np.ndarray:
    """(K, g, g) products of (K, P) gradients, summed in float64."""
    rows = [
        [(one * other).sum(1, dtype=torch.float64).cpu().numpy() for other in means]
        for one in means
    ]
    return np.moveaxis(np.array(rows), -1, 0)
