"""A decoder-only transformer, K models of one shape computed together.

Pre-norm, LayerNorm without affine terms, GELU, no biases: parameters equal `count_params`
exactly. Shapes: K models, R rows (sequences) each, s = n_ctx, T = R·s, d = d_model, h heads of
width e, V = n_vocab.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from isoflop.accounting.architecture import Architecture
from isoflop.lab.models.attention import CausalAttention
from isoflop.lab.models.rotary import rotary_table


class Transformer:
    """The forward pass; the weights are passed in, nothing is learned here.

    Args:
        architecture: the shape.
        base_width: width at which the tied head's output scale is 1/√width.
        device: where the masks live.
        dtype: type of the matrix products.
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        base_width: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.architecture = architecture
        a = architecture
        self._mask = torch.full((a.n_ctx, a.n_ctx), -torch.inf, device=device, dtype=dtype).triu(1)
        self._tied_scale = base_width**0.5 / a.d_model
        self._rotary = None
        if a.positions == "rotary":
            self._rotary = rotary_table(a.n_ctx, a.d_attn // a.n_head, device, dtype)

    def logits(self, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """Return (K, T, V) logits.

        Args:
            weights: name → (K, *shape), as laid out by `layout`.
            inputs: (K, R, s) token ids.
        """
        hidden = self._embed(weights, inputs)
        for layer in range(self.architecture.n_layer):
            hidden = hidden + self._attend(weights, layer, _normed(hidden), inputs.shape[1])
            hidden = hidden + _feed_forward(weights, layer, _normed(hidden))
        hidden = _normed(hidden)
        if self.architecture.tied:
            return torch.bmm(hidden * self._tied_scale, weights["embedding"].transpose(1, 2))
        return torch.bmm(hidden, weights["head"])

    def _embed(self, weights: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
        """Return (K, T, d): token table, plus the position table if learned."""
        a, (packed, rows, context) = self.architecture, inputs.shape
        table = weights["embedding"].view(packed * a.n_vocab, a.d_model)
        first_row = torch.arange(packed, device=inputs.device).view(-1, 1, 1) * a.n_vocab
        hidden = F.embedding(inputs + first_row, table)
        if a.positions == "learned":
            hidden = hidden + weights["positions"][:, :context].unsqueeze(1)
        return hidden.view(packed, rows * context, a.d_model)

    def _attend(
        self, weights: Mapping[str, Tensor], layer: int, hidden: Tensor, rows: int
    ) -> Tensor:
        """Return (K, T, d): dense causal attention."""
        a, (packed, positions, _) = self.architecture, hidden.shape
        qkv = torch.bmm(hidden, weights[f"{layer}.qkv"])
        qkv = qkv.view(packed * rows, positions // rows, 3 * a.d_attn)
        mask = self._mask[: qkv.shape[1], : qkv.shape[1]]
        mixed: Tensor = CausalAttention.apply(qkv, mask, a.n_head, self._rotary)
        return torch.bmm(mixed.view(packed, positions, a.d_attn), weights[f"{layer}.out"])


def _feed_forward(weights: Mapping[str, Tensor], layer: int, hidden: Tensor) -> Tensor:
    """Return (K, T, d)."""
    return torch.bmm(F.gelu(torch.bmm(hidden, weights[f"{layer}.up"])), weights[f"{layer}.down"])


def _normed(hidden: Tensor) -> Tensor:
    return F.layer_norm(hidden, hidden.shape[-1:])
