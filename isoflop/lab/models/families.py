"""The families that the lab trains: one entry a family, weights and forward pass.

A sixth family is a file beside these with its `specs` and its forward pass, an entry here, and an
entry of `isoflop.runs.ladders.shapes.FAMILIES`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.convolution import Convolutional
from isoflop.accounting.families import Model
from isoflop.accounting.lstm import Lstm
from isoflop.accounting.transformer import Transformer
from isoflop.lab.models import convolution, lstm, transformer
from isoflop.lab.models.dropout import Drop
from isoflop.lab.models.spec import Spec


class LanguageModel(Protocol):
    """A forward pass of K models of one shape; it holds no weights."""

    def logits(
        self, weights: Mapping[str, Tensor], inputs: Tensor, drop: Drop | None = None
    ) -> Tensor:
        """Return (K, T, V) logits of (K, R, s) token ids, T = R·s.

        Args:
            weights: name → (K, *shape), as laid out by `layout`.
            inputs: token ids.
            drop: dropout in training, None otherwise.
        """
        ...


@dataclass(frozen=True)
class Family:
    """One family.

    Args:
        specs: its weights, of (model, base_width), in the order they are drawn.
        build: its forward pass, of (model, base_width=, device=, dtype=).
    """

    specs: Callable[[Any, int], Iterator[Spec]]
    build: Callable[..., LanguageModel]


_TRANSFORMER = Family(transformer.specs, transformer.Transformer)
_FAMILIES: Mapping[type, Family] = {
    Architecture: _TRANSFORMER,
    Transformer: _TRANSFORMER,
    Lstm: Family(lstm.specs, lstm.LstmModel),
    Convolutional: Family(convolution.specs, convolution.ConvolutionalModel),
}


def family_of(model: Model) -> Family:
    """Return the family of a model."""
    return _FAMILIES[type(model)]


def build_model(
    model: Model, *, base_width: int, device: torch.device, dtype: torch.dtype
) -> LanguageModel:
    """Build the forward pass of any model.

    Args:
        model: its shape.
        base_width: of the muP rule, see `layout`.
        device: where it runs.
        dtype: type of the matrix products.
    """
    return family_of(model).build(model, base_width=base_width, device=device, dtype=dtype)
