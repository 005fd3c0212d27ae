"""What a model is made of: weights by group, and attention products, per token.

Legend: N parameters, s = n_ctx, a = d_attn, h = n_head, w = band, V = n_vocab. Every convention of
`flops.py` and every count of `params.py` is a sum over an inventory.
"""

from dataclasses import dataclass
from typing import Literal

Group = Literal[
    "token_embedding", "position", "attention", "feed_forward", "router", "recurrence",
    "convolution", "norm", "bias", "head",
]  # fmt: skip
BLOCK_GROUPS = ("attention", "feed_forward", "router", "recurrence", "convolution")
"""Groups whose matrices multiply a token: Kaplan's non-embedding N."""


@dataclass(frozen=True)
class Part:
    """Weights of one group.

    Args:
        group: what they do.
        n_params: how many are stored.
        n_active: how many of them one token meets; fewer than stored in a mixture of experts.
        passes: how often a token goes through them; more than once where layers share weights.
    """

    group: Group
    n_params: int
    n_active: int
    passes: int = 1

    @property
    def multiplied(self) -> int:
        """Multiply-adds per token: every active weight at every pass; lookups and norms are 0."""
        return self.n_active * self.passes if self.group in BLOCK_GROUPS else 0


def whole(group: Group, n_params: int, *, passes: int = 1) -> Part:
    """A part that every token meets in full."""
    return Part(group, n_params, n_params, passes)


@dataclass(frozen=True)
class Scores:
    """Attention products (queries with keys, weights with values) of alike layers.

    Args:
        n_layer: how many layers do them for a token, passes included.
        d_attn: width of the queries, all heads together.
        n_head: attention heads.
        n_ctx: context, tokens.
        band: tokens back that a query looks, itself included; n_ctx where attention is dense.

    >>> dense = Scores(n_layer=1, d_attn=64, n_head=1, n_ctx=100, band=100)
    >>> dense.causal_keys, dense.kaplan_keys
    (50.5, 50.0)
    """

    n_layer: int
    d_attn: int
    n_head: int
    n_ctx: int
    band: int

    @property
    def causal_keys(self) -> float:
        """Keys at or before a query, mean over the context: w − w(w−1)/(2s)."""
        return self.band - self.band * (self.band - 1) / (2 * self.n_ctx)

    @property
    def kaplan_keys(self) -> float:
        """The same as Kaplan 2020 rounds it: w − w²/(2s), half of the context when dense."""
        return self.band - self.band**2 / (2 * self.n_ctx)

    def products(self, keys: float) -> float:
        """Forward FLOPs per token of both products over `keys` keys a query: 4·n·a·keys."""
        return 4 * self.n_layer * self.d_attn * keys


@dataclass(frozen=True)
class Inventory:
    """A model as its parts.

    Args:
        parts: weights by group.
        scores: attention products, one entry for each kind of layer.
        n_vocab: vocabulary, tokens.
        d_in: width of a token's embedding.
        d_out: width that the output head multiplies.
    """

    parts: tuple[Part, ...]
    scores: tuple[Scores, ...]
    n_vocab: int
    d_in: int
    d_out: int
