"""Dropout whose masks depend on the model's seed and the step alone.

So a model drops the same activations whoever it is packed with, and a resumed run drops what the
uninterrupted one would have.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

Drop = Callable[[Tensor], Tensor]
"""Takes a (K·…, …) tensor, model by model, gives it back with some elements zero."""

_DROP_STREAM = 2
"""Keeps these random numbers apart from those of data order (0) and initialisation (1)."""


class Dropout:
    """The masks of one training step, drawn in the order of the forward pass.

    Args:
        rate: share of elements set to zero; the others grow by 1/(1 − rate).
        seeds: (root, index) of each of the K models.
        step: optimizer step.
        device: where the tensors live.
        part: (p, n) when the tensors are the p-th of n equal parts of every model's rows: the
            masks are drawn for all of them, so that the parts together drop what the whole would.

    >>> ones = torch.ones(2, 1000)
    >>> kept = Dropout(0.1, [(0, 0), (0, 1)], 0, torch.device("cpu"))(ones)
    >>> kept.unique().tolist()
    [0.0, 1.111...]
    """

    def __init__(
        self,
        rate: float,
        seeds: Sequence[tuple[int, int]],
        step: int,
        device: torch.device,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        self._rate, self._part = rate, part
        self._generators = [
            torch.Generator(device).manual_seed(_number(root, index, step)) for root, index in seeds
        ]

    def __call__(self, states: Tensor) -> Tensor:
        """Drop elements of (K·n, …) states, each model by its own numbers."""
        shape = (states.shape[0] // len(self._generators), *states.shape[1:])
        masks = [self._mask(generator, states).view(shape) for generator in self._generators]
        mask = masks[0] if len(masks) == 1 else torch.cat(masks)
        return states * mask.div_(1 - self._rate)

    def _mask(self, generator: torch.Generator, states: Tensor) -> Tensor:
        """Return the elements that one model keeps, flat: rows are the outermost axis."""
        place, parts = self._part
        size = states.numel() // len(self._generators)
        whole = torch.empty(parts * size, device=states.device, dtype=states.dtype)
        whole.bernoulli_(1 - self._rate, generator=generator)
        return whole[place * size : (place + 1) * size]


def _number(root: int, index: int, step: int) -> int:
    """Return 64 bits hashed from a seed and a step."""
    sequence = np.random.SeedSequence([root, index, _DROP_STREAM, step])
    return int(sequence.generate_state(1, np.uint64)[0])
