"""Count training FLOPs per token under each published convention.

Legend: N parameters, n layers, d = d_model, a = d_attn, f = d_ff, s = n_ctx, V = n_vocab,
h = n_head. Training = forward + backward = 3 × forward; a multiply-add is 2 FLOPs.
"""

from dataclasses import asdict, dataclass

from isoflop.accounting.families import Model, take_inventory
from isoflop.accounting.inventory import Inventory


@dataclass(frozen=True)
class FlopCount:
    """Training FLOPs per token (forward + backward), one field a convention.

    N is what a token multiplies: active experts only, shared layers once a pass. With banded
    attention the band w stands for s, and w − w²/(2s) for Kaplan's s/2.

    Args:
        kaplan: 6·N_non_embedding, C ≈ 6NBS of Kaplan 2020.
        kaplan_attention: the same plus attention scores, 6N + 6·n·s·a (Kaplan 2020 Table 1,
            C_forward = 2N + 2·n·s·a).
        porian: 6·(N_non_embedding + V·d), head counted whether tied or not (Porian 2024).
        deepseek: 6·N_non_embedding + 12·n·s·a, that is 72·n·d² + 12·n·d·s (DeepSeek 2024).
        chinchilla: Hoffmann 2022 appendix F: embedding as a matmul, scores, softmax, reduction,
            feed-forward and logits.
        matmul: what the hardware multiplies: every weight matmul once, the head always (tied
            or not), both attention products over the full context, embedding gather 0.
        matmul_causal: the same with a kernel that skips keys after the query: (s+1)/2 for s.
        six_n_total: 6·N_total, the rule of thumb of most tables.
    """

    kaplan: float
    kaplan_attention: float
    porian: float
    deepseek: float
    chinchilla: float
    matmul: float
    matmul_causal: float
    six_n_total: float

    def to_dict(self) -> dict[str, float]:
        """Return the contract's JSON object."""
        return asdict(self)


CONVENTIONS = tuple(FlopCount.__dataclass_fields__)
"""Names of the conventions."""


def flops_per_token(model: Model) -> FlopCount:
    """Count training FLOPs per token under each convention.

    Args:
        model: an `Architecture`, `Transformer`, `Lstm` or `Convolutional`.

    >>> from isoflop.accounting.architecture import Architecture
    >>> counts = flops_per_token(Architecture(n_layer=12, d_model=768))
    >>> counts.kaplan == 6 * 84_934_656
    True
    """
    inventory = take_inventory(model)
    weights = 2 * sum(part.multiplied for part in inventory.parts)
    head = 2 * inventory.d_out * inventory.n_vocab
    kaplan = sum(each.products(each.kaplan_keys) for each in inventory.scores)
    square = sum(each.products(each.band) for each in inventory.scores)
    causal = sum(each.products(each.causal_keys) for each in inventory.scores)
    return FlopCount(
        kaplan=3.0 * weights,
        kaplan_attention=3.0 * (weights + kaplan),
        porian=3.0 * (weights + head),
        deepseek=3.0 * (weights + square),
        chinchilla=3.0 * (weights + square + _chinchilla_extra(inventory) + head),
        matmul=3.0 * (weights + square + head),
        matmul_causal=3.0 * (weights + causal + head),
        six_n_total=6.0 * sum(part.n_active * part.passes for part in inventory.parts),
    )


def _chinchilla_extra(inventory: Inventory) -> float:
    """Forward FLOPs per token that appendix F counts besides matmuls: embedding and softmax."""
    softmax = sum(3 * each.n_layer * each.n_head * each.band for each in inventory.scores)
    return 2 * inventory.n_vocab * inventory.d_in + softmax
