"""Convolutional language models: causal convolutions over tokens, gated or separable."""

from dataclasses import dataclass
from typing import Literal

from isoflop.accounting.inventory import Inventory, whole
from isoflop.base.errors import InputError

Kind = Literal["full", "separable"]


@dataclass(frozen=True)
class Convolutional:
    """A stack of causal convolutions of constant width (Dauphin 2017 where gated).

    A full layer has k·d·d weights, a separable one k·d + d·d; a gate doubles the outputs.

    Args:
        n_layer: convolutions.
        d_model: channels.
        kernel: tokens that a convolution sees.
        kind: `full`, or `separable`: one filter a channel, then a matrix across channels.
        gated: whether outputs are multiplied by a gate of their own.
        n_vocab: vocabulary, tokens.
        tied: whether the output head shares the token embedding.
        biases: whether to count one bias for each output of a layer.
        n_ctx: tokens of one window; changes no count, the lab trains on it.

    Raises:
        InputError: a size that is not a positive integer, or an unknown kind.

    >>> from isoflop.accounting.params import count_params
    >>> count_params(Convolutional(n_layer=8, d_model=512, kernel=4)).non_embedding
    16777216
    """

    n_layer: int
    d_model: int
    kernel: int = 3
    kind: Kind = "full"
    gated: bool = True
    n_vocab: int = 50257
    tied: bool = True
    biases: bool = False
    n_ctx: int = 1024

    def __post_init__(self) -> None:
        for name in ("n_layer", "d_model", "kernel", "n_vocab", "n_ctx"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(f"{name} must be a positive integer, found {value!r}")
        if self.kind not in ("full", "separable"):
            raise InputError(f"kind must be full or separable, found {self.kind!r}")


def inventory_of(model: Convolutional) -> Inventory:
    """Take a convolutional model apart."""
    d, k = model.d_model, model.kernel
    outputs = 2 * d if model.gated else d
    layer = k * d * outputs if model.kind == "full" else k * d + d * outputs
    biases = outputs + (d if model.kind == "separable" else 0)
    parts = (
        whole("token_embedding", model.n_vocab * d),
        whole("convolution", model.n_layer * layer),
        whole("bias", model.n_layer * biases if model.biases else 0),
        whole("head", 0 if model.tied else model.n_vocab * d),
    )
    return Inventory(parts, (), model.n_vocab, d, d)
