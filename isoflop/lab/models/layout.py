"""Where each weight of K packed models lies in one flat buffer.

Weight by weight, the K models side by side: `buffer[offset : offset + K·size]` is a (K, *shape)
block.
"""

import math
from dataclasses import dataclass

from isoflop.accounting.families import Model
from isoflop.lab.models.families import family_of


@dataclass(frozen=True)
class Weight:
    """One weight of the model.

    Args:
        name: `embedding`, `positions`, `head`, or `0.qkv`, `0.out`, `0.up`, `0.down`, ….
        shape: of one model, (inputs, outputs) for matrices.
        std: standard deviation of the normal initialisation; 0 starts at zero.
        lr_multiplier: on the learning rate.
        offset: elements before it in the buffer of ONE model.
    """

    name: str
    shape: tuple[int, int]
    std: float
    lr_multiplier: float
    offset: int

    @property
    def size(self) -> int:
        """Elements in one model."""
        return math.prod(self.shape)


def layout(model: Model, base_width: int) -> tuple[Weight, ...]:
    """Lay out the weights; their sizes add up to `count_params(model).total`.

    >>> from isoflop.accounting.architecture import Architecture
    >>> sum(w.size for w in layout(Architecture(n_layer=1, d_model=8, n_ctx=4, n_vocab=9), 32))
    872
    """
    weights, offset = [], 0
    for spec in family_of(model).specs(model, base_width):
        weights.append(Weight(*spec, offset))
        offset += math.prod(spec.shape)
    return tuple(weights)
