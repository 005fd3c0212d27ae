"""An LSTM language model, K models of one shape computed together.

Every layer multiplies its inputs at once and its states one token after another; the state is zero
at the start of a window. No learned biases, as counted; the forget gate has a constant +1
(Jozefowicz et al. 2015). Between layers and before the head a LayerNorm without weights, so that
one learning rate serves every width. Shapes: K models, R rows, s tokens, T = R·s, h = d_hidden.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import torch
from torch import Tensor

from isoflop.accounting.lstm import Lstm
from isoflop.lab.models import spec
from isoflop.lab.models.dropout import Drop
from isoflop.lab.models.embedding import embed_tokens, normed, read_out, tied_scale
from isoflop.lab.models.recurrence import Recurrence
from isoflop.lab.models.spec import Spec


def specs(model: Lstm, base_width: int) -> Iterator[Spec]:
    """Yield the weights in the order they are drawn; gates lie as input, forget, cell, output."""
    widths = _widths(model)
    yield spec.table("embedding", model.n_vocab, model.d_model)
    for i, (inputs, hidden) in enumerate(pairwise(widths)):
        yield spec.matrix(f"{i}.input", inputs, 4 * hidden, width=base_width / inputs)
        yield spec.matrix(f"{i}.state", hidden, 4 * hidden, width=base_width / hidden)
    width = base_width / widths[-1]
    yield from spec.head(model.tied, widths[-1], model.n_vocab, width=width)


def _widths(model: Lstm) -> list[int]:
    """Width of the embedding, then of each layer; the last one is the embedding's if tied."""
    widths = [model.d_model] + [model.d_hidden] * model.n_layer
    return [*widths[:-1], model.d_model] if model.tied else widths


class LstmModel:
    """The forward pass; the weights are passed in, nothing is learned here.

    Args:
        model: the shape.
        base_width: width at which the tied head's output scale is 1/√width.
        device: where it runs.
        dtype: type of the matrix products; cells are float32 always.
    """

    def __init__(
        self, model: Lstm, *, base_width: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self._model = model
        self._tied_scale = tied_scale(model.d_model, base_width)

    def logits(
        self, weights: Mapping[str, Tensor], inputs: Tensor, drop: Drop | None = None
    ) -> Tensor:
        """Return (K, T, V) logits.

        Args:
            weights: name → (K, *shape), as laid out by `layout`.
            inputs: (K, R, s) token ids, windows of any length.
            drop: dropout of what goes into each layer and into the head, never of the state
                (Zaremba et al. 2014).
        """
        packed, rows, context = inputs.shape
        hidden = normed(embed_tokens(weights["embedding"], inputs))
        for layer in range(self._model.n_layer):
            hidden = hidden if drop is None else drop(hidden)
            flat = hidden.reshape(packed, rows * context, -1)
            gates = torch.bmm(flat, weights[f"{layer}.input"]).view(packed, rows, context, -1)
            states = Recurrence.apply(gates.permute(2, 0, 1, 3), weights[f"{layer}.state"])
            hidden = normed(states.permute(1, 2, 0, 3))
        hidden = hidden if drop is None else drop(hidden)
        return read_out(weights, hidden.reshape(packed, rows * context, -1), self._tied_scale)
