"""What a model says of each of its weights, before they are laid out in a buffer.

Initialisation and learning-rate multipliers follow muP (Yang et al. 2022, table 8, Adam): matrices
of a model of width d learn at lr·base/d, tables at a rate that does not depend on d, the head
starts at zero. In standard parametrisation the best learning rate drifts 8-fold from width 16 to
128; here it is flat.
"""

from collections.abc import Iterator
from typing import NamedTuple

TABLE_STD = 0.5
"""Standard deviation of token and position tables at the start."""
TABLE_LR = 3.0
"""Learning-rate multiplier of the tables; with `TABLE_STD` the least spread between seeds of the
nine pairs tried, docs/tour-design.md."""


class Spec(NamedTuple):
    """One weight.

    Args:
        name: unique in the model, such as `embedding`, `head`, `0.qkv`.
        shape: of one model, (inputs, outputs) for matrices.
        std: standard deviation of the normal initialisation; 0 starts at zero.
        lr_multiplier: on the learning rate.
    """

    name: str
    shape: tuple[int, int]
    std: float
    lr_multiplier: float


def table(name: str, rows: int, width: int) -> Spec:
    """A table of vectors: tokens or positions."""
    return Spec(name, (rows, width), TABLE_STD, TABLE_LR)


def matrix(name: str, inputs: int, outputs: int, *, width: float, scale: float = 1.0) -> Spec:
    """A matrix whose outputs start with the variance of its inputs times scale².

    Args:
        name: of the weight.
        inputs: its rows.
        outputs: its columns.
        width: base_width/d, the learning-rate multiplier.
        scale: on the initial standard deviation 1/√inputs.
    """
    return Spec(name, (inputs, outputs), scale * inputs**-0.5, width)


def head(tied: bool, inputs: int, n_vocab: int, *, width: float) -> Iterator[Spec]:
    """The output matrix, zero at the start; none if the token table serves."""
    if not tied:
        yield Spec("head", (inputs, n_vocab), 0.0, width)
