"""An LSTM language model, K models of one shape.

Torch's own kernel runs each model's recurrence, one packed model after another: on a CPU it was
2 to 10 times faster than a packed loop over tokens (docs/LOG.md). Embedding and head are packed.
The state is zero at the start of a window. No learned biases, as counted; the forget gate has a
constant +1 (Jozefowicz et al. 2015). Between layers and before the head a LayerNorm without
weights, so that one learning rate serves every width. Shapes: K models, R rows, s tokens,
T = R·s, i wide in, h = d_hidden.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import torch
from torch import Tensor

from isoflop.accounting.lstm import Lstm
from isoflop.lab.models import spec
from isoflop.lab.models.dropout import Drop
from isoflop.lab.models.embedding import embed_tokens, normed, read_out, tied_scale
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


FORGET_BIAS = 1.0
"""Added to the forget gate: a new model remembers."""


class LstmModel:
    """The forward pass; the weights are passed in, nothing is learned here.

    Args:
        model: the shape.
        base_width: width at which the tied head's output scale is 1/√width.
        device: where it runs.
        dtype: type of the matrix products.
    """

    def __init__(
        self, model: Lstm, *, base_width: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self._model = model
        self._tied_scale = tied_scale(model.d_model, base_width)
        self._biases = [_biases(width, device, dtype) for width in _widths(model)[1:]]

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
            matrices = weights[f"{layer}.input"], weights[f"{layer}.state"]
            hidden = normed(_recur(hidden, *matrices, self._biases[layer]))
        hidden = hidden if drop is None else drop(hidden)
        return read_out(weights, hidden.reshape(packed, rows * context, -1), self._tied_scale)


def _recur(hidden: Tensor, inputs: Tensor, state: Tensor, biases: tuple[Tensor, Tensor]) -> Tensor:
    """Return (K, R, s, h) states of (K, R, s, i), model by model.

    Args:
        hidden: what goes into the layer.
        inputs: (K, i, 4·h) weights, gates as input, forget, cell, output.
        state: (K, h, 4·h) weights.
        biases: constants of the gates, in torch's two vectors.
    """
    zero = hidden.new_zeros(1, hidden.shape[1], state.shape[1])
    states = [
        torch.lstm(
            one, (zero, zero), [w.t(), u.t(), *biases],
            has_biases=True, num_layers=1, dropout=0.0, train=True, bidirectional=False,
            batch_first=True,
        )[0]
        for one, w, u in zip(hidden, inputs, state, strict=True)
    ]  # fmt: skip
    return torch.stack(states)


def _biases(width: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    bias = torch.zeros(4 * width, device=device, dtype=dtype)
    bias[width : 2 * width] = FORGET_BIAS
    return bias, torch.zeros_like(bias)
