"""Rotary positions (Su et al. 2021): rotate pairs of query and key components by position.

With them the models leave the bigram plateau at once; with a learned table they sat on it for
256 000 tokens, at times that differed from seed to seed (docs/tour-design.md).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

_BASE = 10_000.0
"""Longest wavelength over 2π, positions (Su et al. 2021, section 3.2.2)."""


@dataclass(frozen=True)
class RotaryTable:
    """Factors of a rotation by position.

    Args:
        cosine: (n_ctx, width), the two halves alike.
        sine: (n_ctx, width), the first half negated.
    """

    cosine: Tensor
    sine: Tensor


def rotary_table(n_ctx: int, width: int, device: torch.device, dtype: torch.dtype) -> RotaryTable:
    """Tabulate the rotation of every position of a context.

    >>> rotary_table(4, 2, torch.device("cpu"), torch.float32).sine[1].tolist()
    [-0.841..., 0.841...]
    """
    frequency = _BASE ** (-torch.arange(0, width, 2, device=device, dtype=torch.float64) / width)
    angle = torch.outer(torch.arange(n_ctx, device=device, dtype=torch.float64), frequency)
    cosine, sine = angle.cos(), angle.sin()
    return RotaryTable(
        torch.cat((cosine, cosine), -1).to(dtype), torch.cat((-sine, sine), -1).to(dtype)
    )


def rotate(states: Tensor, table: RotaryTable) -> Tensor:
    """Rotate (…, context, width) states by their positions."""
    context, half = states.shape[-2], states.shape[-1] // 2
    swapped = states.roll(half, -1)
    return torch.addcmul(states * table.cosine[:context], swapped, table.sine[:context])


def rotate_back(states: Tensor, table: RotaryTable) -> Tensor:
    """Undo `rotate`, which is also its derivative's transpose."""
    context, half = states.shape[-2], states.shape[-1] // 2
    swapped = states.roll(half, -1)
    cosine, sine = table.cosine[:context], table.sine[:context]
    return torch.addcmul(states * cosine, swapped, sine, value=-1)
