"""Where each weight of K packed models lies in one flat buffer.

Weight by weight, the K models side by side: `buffer[offset : offset + K·size]` is a (K, *shape)
block. Initialisation and learning-rate multipliers follow muP (Yang et al. 2022, table 8, Adam):
matrices of a model of width d learn at lr·base/d, tables at a rate that
does not depend on d, the head starts at zero. In standard
parametrisation the best learning rate drifts 8-fold from width 16 to 128; here it is flat.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from isoflop.accounting.architecture import Architecture

TABLE_STD = 0.5
"""Standard deviation of token and position tables at the start."""
TABLE_LR = 3.0
"""Learning-rate multiplier of the tables; with `TABLE_STD` the least spread between seeds of the
nine pairs tried, docs/tour-design.md."""


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


def layout(architecture: Architecture, base_width: int) -> tuple[Weight, ...]:
    """Lay out the weights; their sizes add up to `count_params(architecture).total`.

    >>> sum(w.size for w in layout(Architecture(n_layer=1, d_model=8, n_ctx=4, n_vocab=9), 32))
    872
    """
    weights, offset = [], 0
    for name, shape, std, multiplier in _weights(architecture, base_width):
        weights.append(Weight(name, shape, std, multiplier, offset))
        offset += math.prod(shape)
    return tuple(weights)


def _weights(
    a: Architecture, base_width: int
) -> Iterator[tuple[str, tuple[int, int], float, float]]:
    width = base_width / a.d_model
    residual = 1 / math.sqrt(2 * a.n_layer)
    yield "embedding", (a.n_vocab, a.d_model), TABLE_STD, TABLE_LR
    if a.positions == "learned":
        yield "positions", (a.n_ctx, a.d_model), TABLE_STD, TABLE_LR
    for i in range(a.n_layer):
        yield f"{i}.qkv", (a.d_model, 3 * a.d_attn), a.d_model**-0.5, width
        yield f"{i}.out", (a.d_attn, a.d_model), residual * a.d_attn**-0.5, width
        yield f"{i}.up", (a.d_model, a.d_ff), a.d_model**-0.5, width
        yield f"{i}.down", (a.d_ff, a.d_model), residual * a.d_ff**-0.5, width
    if not a.tied:
        yield "head", (a.d_model, a.n_vocab), 0.0, width
