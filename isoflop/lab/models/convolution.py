"""A causal convolutional language model, K models of one shape computed together.

Pre-norm blocks h + f(conv(norm(h))): the convolution sees its kernel's tokens up to the current
one, f is a gated linear unit (Dauphin et al. 2017) or GELU. Norms without weights, no biases.
Shapes: K models, R rows, s tokens, T = R·s, d = d_model, k = kernel.
"""

from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from isoflop.accounting.convolution import Convolutional
from isoflop.lab.models import spec
from isoflop.lab.models.dropout import Drop
from isoflop.lab.models.embedding import embed_tokens, normed, read_out, tied_scale
from isoflop.lab.models.spec import Spec


def specs(model: Convolutional, base_width: int) -> Iterator[Spec]:
    """Yield the weights in the order they are drawn."""
    d, k = model.d_model, model.kernel
    width, outputs = base_width / d, 2 * d if model.gated else d
    yield spec.table("embedding", model.n_vocab, d)
    for i in range(model.n_layer):
        if model.kind == "separable":
            # One filter a channel: its fan-in is k at every width, and so is its rate.
            yield Spec(f"{i}.filter", (k, d), k**-0.5, 1.0)
        inputs = d if model.kind == "separable" else k * d
        yield spec.matrix(f"{i}.mix", inputs, outputs, width=width)
    yield from spec.head(model.tied, d, model.n_vocab, width=width)


class ConvolutionalModel:
    """The forward pass; the weights are passed in, nothing is learned here.

    Args:
        model: the shape.
        base_width: width at which the tied head's output scale is 1/√width.
        device: where it runs.
        dtype: type of the matrix products.
    """

    def __init__(
        self, model: Convolutional, *, base_width: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self._model = model
        self._residual = model.n_layer**-0.5
        self._tied_scale = tied_scale(model.d_model, base_width)

    def logits(
        self, weights: Mapping[str, Tensor], inputs: Tensor, drop: Drop | None = None
    ) -> Tensor:
        """Return (K, T, V) logits.

        Args:
            weights: name → (K, *shape), as laid out by `layout`.
            inputs: (K, R, s) token ids, windows of any length.
            drop: dropout of embeddings and of every block's branch.
        """
        packed, rows, context = inputs.shape
        hidden = embed_tokens(weights["embedding"], inputs)
        hidden = hidden if drop is None else drop(hidden)
        for layer in range(self._model.n_layer):
            seen = self._look_back(weights, layer, normed(hidden))
            mixed = torch.bmm(seen.view(packed, rows * context, -1), weights[f"{layer}.mix"])
            branch = F.glu(mixed, -1) if self._model.gated else F.gelu(mixed)
            branch = branch.view_as(hidden) * self._residual
            hidden = hidden + (branch if drop is None else drop(branch))
        hidden = normed(hidden).view(packed, rows * context, -1)
        return read_out(weights, hidden, self._tied_scale)

    def _look_back(self, weights: Mapping[str, Tensor], layer: int, hidden: Tensor) -> Tensor:
        """Return (K, R, s, d) filtered channels, or (K, R, s, k·d): the kernel's tokens together.

        The oldest token comes first; before the window there are zeros.
        """
        kernel, context = self._model.kernel, hidden.shape[2]
        padded = F.pad(hidden, (0, 0, kernel - 1, 0))
        shifted = [padded[:, :, j : j + context] for j in range(kernel)]
        if self._model.kind == "full":
            return torch.cat(shifted, -1)
        filters = weights[f"{layer}.filter"][:, None, None].unbind(3)
        total = shifted[0] * filters[0]
        for tokens, taps in zip(shifted[1:], filters[1:], strict=True):
            total = torch.addcmul(total, tokens, taps)
        return total
