"""K models of one shape in one flat buffer: weights, gradients, initialisation."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from isoflop.accounting.families import Model
from isoflop.lab.models.layout import Weight, layout

_INIT_STREAM = 1
"""Keeps the random numbers of initialisation apart from those of the data order (stream 0)."""


@dataclass(frozen=True)
class Pack:
    """The weights of K models.

    Args:
        master: (K·P,) float32, the weights the optimizer moves.
        low: (K·P,) the same cast to the type of the matrix products; `master` itself in float32.
        gradient: (K·P,) in the type of `low`.
        lr_multipliers: (K·P,) float32.
        weights: name → (K, *shape) views of `low` whose `.grad` are views of `gradient`.
    """

    master: Tensor
    low: Tensor
    gradient: Tensor
    lr_multipliers: Tensor
    weights: dict[str, Tensor]

    def refresh(self) -> None:
        """Cast the master weights and clear the gradient: once a step."""
        if self.low is not self.master:
            self.low.copy_(self.master)
        self.gradient.zero_()


def make_pack(
    model: Model,
    seeds: list[tuple[int, int]],
    *,
    base_width: int,
    device: torch.device,
    dtype: torch.dtype,
) -> Pack:
    """Initialise one model per seed; a model's numbers do not depend on its neighbours.

    Args:
        model: the shape, of any family.
        seeds: (root, index) of each model.
        base_width: of the muP rule, see `layout`.
        device: where to put it.
        dtype: type of the matrix products.
    """
    weights = layout(model, base_width)
    master = _initial(weights, seeds).to(device)
    low = master if dtype == torch.float32 else master.to(dtype)
    gradient = torch.zeros_like(low)
    multipliers = torch.cat(
        [torch.full((len(seeds) * w.size,), w.lr_multiplier) for w in weights]
    ).to(device)
    leaves = {w.name: _leaf(w, low, gradient, len(seeds)) for w in weights}
    return Pack(master, low, gradient, multipliers, leaves)


def _initial(weights: tuple[Weight, ...], seeds: list[tuple[int, int]]) -> Tensor:
    """Return (K·P,) float32, weight by weight, the K models side by side."""
    return torch.cat([numbers.view(-1) for _, numbers in draw_initial(weights, seeds)])


def draw_initial(
    weights: tuple[Weight, ...], seeds: list[tuple[int, int]]
) -> Iterator[tuple[Weight, Tensor]]:
    """Yield every weight with its (K, size) float32 first values, in the order of the buffer.

    Args:
        weights: see `layout`; all of them, since one model's numbers come from one generator.
        seeds: (root, index) of each model.
    """
    generators = [np.random.default_rng([*seed, _INIT_STREAM]) for seed in seeds]
    for weight in weights:
        parts = [
            generator.standard_normal(weight.size, dtype=np.float32) * np.float32(weight.std)
            for generator in generators
        ]
        yield weight, torch.from_numpy(np.stack(parts))


def _leaf(weight: Weight, low: Tensor, gradient: Tensor, packed: int) -> Tensor:
    span = slice(packed * weight.offset, packed * (weight.offset + weight.size))
    leaf = low[span].view(packed, *weight.shape).detach().requires_grad_()
    leaf.grad = gradient[span].view(packed, *weight.shape)
    return leaf
