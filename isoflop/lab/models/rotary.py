"""Rotary positions (Su et al. 2021): rotate pairs of query and key components by position."""

import torch
from torch import Tensor

_BASE = 10_000.0
"""Longest wavelength over 2π, positions (Su et al. 2021, section 3.2.2)."""


def rotary_table(
    n_ctx: int, width: int, device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Return cosines and sines, each (n_ctx, width), the two halves alike.

    >>> rotary_table(4, 2, torch.device("cpu"), torch.float32)[0].shape
    torch.Size([4, 2])
    """
    frequency = _BASE ** (-torch.arange(0, width, 2, device=device, dtype=torch.float64) / width)
    angle = torch.outer(torch.arange(n_ctx, device=device, dtype=torch.float64), frequency)
    angle = torch.cat((angle, angle), -1)
    return angle.cos().to(dtype), angle.sin().to(dtype)


def rotate(states: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
    """Rotate (batch, context, width) states by their positions."""
    cosine, sine = (part[: states.shape[1]] for part in table)
    first, second = states.chunk(2, -1)
    return states * cosine + torch.cat((-second, first), -1) * sine
