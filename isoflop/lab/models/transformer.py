"""A decoder-only transformer, K models of one shape computed together.

Pre-norm, LayerNorm without affine terms, GELU or SwiGLU (Shazeer 2020), no biases: parameters
equal `count_params` exactly. Layers may see only a band (GPT-3's alternating pattern), and a token
may go through the same layers several times (Universal Transformers, without their step table).
Shapes: K models, R rows (sequences) each, s = n_ctx, T = R·s, d = d_model, h heads of width e,
V = n_vocab.
"""

import math
from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from isoflop.accounting import transformer as counted
from isoflop.accounting.architecture import Architecture
from isoflop.lab.models import spec
from isoflop.lab.models.attention import CausalAttention, attend_dropped, causal_mask
from isoflop.lab.models.band import Kernel, attend_band
from isoflop.lab.models.dropout import Drop
from isoflop.lab.models.embedding import (
    check_context,
    embed_tokens,
    normed,
    read_out,
    tied_scale,
)
from isoflop.lab.models.rotary import rotary_table
from isoflop.lab.models.spec import Spec

AnyTransformer = Architecture | counted.Transformer


def specs(model: AnyTransformer, base_width: int) -> Iterator[Spec]:
    """Yield the weights in the order they are drawn."""
    model = beyond_plain(model)
    a = model.shape
    width = base_width / a.d_model
    residual = 1 / math.sqrt(2 * a.n_layer * model.passes)
    yield spec.table("embedding", a.n_vocab, a.d_model)
    if a.positions == "learned":
        yield spec.table("positions", a.n_ctx, a.d_model)
    for i in range(a.n_layer):
        yield spec.matrix(f"{i}.qkv", a.d_model, 3 * a.d_attn, width=width)
        yield spec.matrix(f"{i}.out", a.d_attn, a.d_model, width=width, scale=residual)
        inner = 2 * a.d_ff if model.gated else a.d_ff
        yield spec.matrix(f"{i}.up", a.d_model, inner, width=width)
        yield spec.matrix(f"{i}.down", a.d_ff, a.d_model, width=width, scale=residual)
    yield from spec.head(a.tied, a.d_model, a.n_vocab, width=width)


def beyond_plain(model: AnyTransformer) -> counted.Transformer:
    """Return a model in the form that has every field."""
    return counted.Transformer(model) if isinstance(model, Architecture) else model


class Transformer:
    """The forward pass; the weights are passed in, nothing is learned here.

    Args:
        architecture: the shape, of an `Architecture` or a counted `Transformer`.
        base_width: width at which the tied head's output scale is 1/√width.
        device: where the masks live.
        dtype: type of the matrix products.
        kernel: how banded layers are computed, see `band.Kernel`.
    """

    def __init__(
        self,
        architecture: AnyTransformer,
        *,
        base_width: int,
        device: torch.device,
        dtype: torch.dtype,
        kernel: Kernel = "auto",
    ) -> None:
        self._model = beyond_plain(architecture)
        self.architecture = a = self._model.shape
        self._mask = causal_mask(a.n_ctx, None, device, dtype)
        self._band_mask = causal_mask(a.n_ctx, self._model.band or None, device, dtype)
        self._tied_scale = tied_scale(a.d_model, base_width)
        self._kernel: Kernel = kernel
        self._rotary = None
        if a.positions == "rotary":
            self._rotary = rotary_table(a.n_ctx, a.d_attn // a.n_head, device, dtype)

    def logits(
        self, weights: Mapping[str, Tensor], inputs: Tensor, drop: Drop | None = None
    ) -> Tensor:
        """Return (K, T, V) logits.

        Args:
            weights: name → (K, *shape), as laid out by `layout`.
            inputs: (K, R, s) token ids.
            drop: dropout of embeddings, attention weights and both branches, as GPT-2 has it.

        Raises:
            InputError: more tokens than n_ctx.
        """
        hidden = self.embed(weights, inputs, drop)
        for layer in self.layers:
            hidden = self.block(weights, layer, hidden, inputs.shape[1], drop)
        return self.read_out(weights, hidden)

    @property
    def layers(self) -> list[int]:
        """The layers a token goes through, in order."""
        return [*range(self.architecture.n_layer)] * self._model.passes

    def embed(self, weights: Mapping[str, Tensor], inputs: Tensor, drop: Drop | None) -> Tensor:
        """Return (K, T, d): token table, plus the position table if learned; see `logits`."""
        check_context(inputs, self.architecture.n_ctx, self.architecture.positions)
        packed, rows, context = inputs.shape
        hidden = embed_tokens(weights["embedding"], inputs)
        if self.architecture.positions == "learned":
            hidden = hidden + weights["positions"][:, :context].unsqueeze(1)
        hidden = hidden.view(packed, rows * context, self.architecture.d_model)
        return hidden if drop is None else drop(hidden)

    def block(
        self,
        weights: Mapping[str, Tensor],
        layer: int,
        hidden: Tensor,
        rows: int,
        drop: Drop | None,
    ) -> Tensor:
        """Return the (K, T, d) states after one layer.

        Args:
            weights: at least that layer's.
            layer: which.
            hidden: (K, T, d) states before it.
            rows: R.
            drop: see `logits`.
        """
        branch = self._attend(weights, layer, normed(hidden), rows, drop)
        hidden = hidden + (branch if drop is None else drop(branch))
        branch = self._feed_forward(weights, layer, normed(hidden))
        return hidden + (branch if drop is None else drop(branch))

    def read_out(self, weights: Mapping[str, Tensor], hidden: Tensor) -> Tensor:
        """Return (K, T, V) logits of the last layer's (K, T, d) states."""
        return read_out(weights, normed(hidden), self._tied_scale)

    def _attend(
        self,
        weights: Mapping[str, Tensor],
        layer: int,
        hidden: Tensor,
        rows: int,
        drop: Drop | None,
    ) -> Tensor:
        """Return (K, T, d): causal attention, dense or banded."""
        a, (packed, positions, _) = self.architecture, hidden.shape
        qkv = torch.bmm(hidden, weights[f"{layer}.qkv"])
        qkv = qkv.view(packed * rows, positions // rows, 3 * a.d_attn)
        mixed = self._mix(qkv, self._model.is_banded(layer), drop)
        return torch.bmm(mixed.view(packed, positions, a.d_attn), weights[f"{layer}.out"])

    def _mix(self, qkv: Tensor, banded: bool, drop: Drop | None) -> Tensor:
        """Return (G, s, a) from (G, s, 3·a)."""
        n_head, context = self.architecture.n_head, qkv.shape[1]
        mask = (self._band_mask if banded else self._mask)[:context, :context]
        if drop is not None:
            return attend_dropped(qkv, mask, n_head, self._rotary, drop)
        if banded:
            band = self._model.band
            return attend_band(qkv, mask, n_head, self._rotary, band=band, kernel=self._kernel)
        mixed: Tensor = CausalAttention.apply(qkv, mask, n_head, self._rotary)
        return mixed

    def _feed_forward(self, weights: Mapping[str, Tensor], layer: int, hidden: Tensor) -> Tensor:
        """Return (K, T, d)."""
        inner = torch.bmm(hidden, weights[f"{layer}.up"])
        if self._model.gated:
            gate, value = inner.chunk(2, -1)
            inner = F.silu(gate) * value
        else:
            inner = F.gelu(inner)
        return torch.bmm(inner, weights[f"{layer}.down"])
