"""What every family shares: tokens to vectors, vectors to logits, the longest window."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from isoflop.base.errors import InputError


def embed_tokens(table: Tensor, inputs: Tensor) -> Tensor:
    """Return (K, R, s, d): each model looks its tokens up in its own table.

    Args:
        table: (K, V, d).
        inputs: (K, R, s) token ids.
    """
    packed, n_vocab, width = table.shape
    first_row = torch.arange(packed, device=inputs.device).view(-1, 1, 1) * n_vocab
    return F.embedding(inputs + first_row, table.view(packed * n_vocab, width))


def read_out(weights: Mapping[str, Tensor], hidden: Tensor, tied_scale: float) -> Tensor:
    """Return (K, T, V) logits of (K, T, d) states by the head, or by the table if tied.

    Args:
        weights: name → (K, *shape).
        hidden: (K, T, d), normed.
        tied_scale: factor on tied logits; the table does not shrink with width as a head would.
    """
    if "head" in weights:
        return torch.bmm(hidden, weights["head"])
    return torch.bmm(hidden * tied_scale, weights["embedding"].transpose(1, 2))


def tied_scale(d_model: int, base_width: int) -> float:
    """Return √base/d, so that tied logits have one scale at every width."""
    return base_width**0.5 / d_model


def normed(hidden: Tensor) -> Tensor:
    """LayerNorm without weights."""
    return F.layer_norm(hidden, hidden.shape[-1:])


def check_context(inputs: Tensor, n_ctx: int, positions: str) -> None:
    """Refuse a window longer than the positions there are.

    Raises:
        InputError: more tokens than n_ctx.
    """
    if inputs.shape[-1] > n_ctx:
        raise InputError(
            f"windows of {inputs.shape[-1]} tokens, but the {positions} positions end at "
            f"n_ctx = {n_ctx}; cut the windows or train a rung with a longer n_ctx"
        )
