"""The shape whose number of parameters is nearest to the one asked for."""

import math

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.params import count_params
from isoflop.runs.designs.dial import Dial, shape_at
from isoflop.runs.designs.tables import ProposedRuns

_WIDEST = 2**17
"""Widest model looked for: 128 times GPT-2's smallest."""


def nearest_shape(design: ProposedRuns, n_params: float) -> Architecture:
    """Return the shape nearest in the logarithm of its parameters.

    At a fixed `n_layer` the width is searched for; at 0 the depth is the one for which
    12 · n_layer · (aspect · n_layer)² = n_params, and the width then.

    >>> nearest_shape(ProposedRuns(Dial(n_layer=2, n_vocab=256, n_ctx=64), ()), 1e5).d_model
    56
    """
    dial = design.dial
    n_layer = dial.n_layer or max(1, round((n_params / (12 * dial.aspect**2)) ** (1 / 3)))
    low, high = 1, _WIDEST // design.width_step
    while low < high:  # the least multiple with at least n_params
        middle = (low + high) // 2
        if count_shape(design, _shape(design, n_layer, middle)) < n_params:
            low = middle + 1
        else:
            high = middle
    shapes = [_shape(design, n_layer, multiple) for multiple in (low, max(1, low - 1))]
    return min(shapes, key=lambda shape: abs(math.log(count_shape(design, shape) / n_params)))


def _shape(design: ProposedRuns, n_layer: int, multiple: int) -> Architecture:
    dial = design.dial
    width = multiple * design.width_step
    wide = Dial(
        widths=(width,),
        n_layer=n_layer,
        n_head=dial.n_head,
        head_width=dial.head_width,
        n_ctx=dial.n_ctx,
        n_vocab=dial.n_vocab,
        tied=dial.tied,
        positions=dial.positions,
    )
    return shape_at(wide, width)


def count_shape(design: ProposedRuns, shape: Architecture) -> int:
    """Return a shape's parameters as the design counts them."""
    counts = count_params(shape)
    return counts.total if design.counting == "total" else counts.non_embedding
