"""LSTM language models, the baseline of Kaplan 2020 section 3.2."""

from dataclasses import dataclass
from itertools import pairwise

from isoflop.accounting.inventory import Inventory, Part, whole
from isoflop.base.errors import InputError


@dataclass(frozen=True)
class Lstm:
    """A stack of LSTM layers between an embedding and an output head.

    Each layer of width h on an input of width i has 4·h·(i + h) weights.

    Args:
        n_layer: LSTM layers.
        d_model: width of a token's embedding.
        d_hidden: width of a layer; d_model if 0. A tied head needs the last layer to have
            width d_model, as in AWD-LSTM.
        n_vocab: vocabulary, tokens.
        tied: whether the output head shares the token embedding.
        biases: whether to count biases: two vectors of 4·h a layer, as cuDNN keeps them, and
            one of the head.
        n_ctx: tokens read from one state; changes no count, the lab trains on it.

    Raises:
        InputError: a size that is not a positive integer.

    >>> from isoflop.accounting.params import count_params
    >>> awd = Lstm(n_layer=3, d_model=400, d_hidden=1150, n_vocab=10_000, biases=True)
    >>> count_params(awd).total  # Merity 2017: 24M
    24221600
    """

    n_layer: int
    d_model: int
    d_hidden: int = 0
    n_vocab: int = 50257
    tied: bool = True
    biases: bool = False
    n_ctx: int = 1024

    def __post_init__(self) -> None:
        object.__setattr__(self, "d_hidden", self.d_hidden or self.d_model)
        for name in ("n_layer", "d_model", "d_hidden", "n_vocab", "n_ctx"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(f"{name} must be a positive integer, found {value!r}")


def inventory_of(model: Lstm) -> Inventory:
    """Take an LSTM apart."""
    widths = [model.d_model] + [model.d_hidden] * model.n_layer
    if model.tied:
        widths[-1] = model.d_model
    weights = sum(4 * h * (i + h) for i, h in pairwise(widths))
    biases = sum(2 * 4 * h for h in widths[1:]) + model.n_vocab if model.biases else 0
    parts: tuple[Part, ...] = (
        whole("token_embedding", model.n_vocab * model.d_model),
        whole("recurrence", weights),
        whole("bias", biases),
        whole("head", 0 if model.tied else model.n_vocab * widths[-1]),
    )
    return Inventory(parts, (), model.n_vocab, model.d_model, widths[-1])
