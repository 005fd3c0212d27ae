"""Count training FLOPs per token under each published convention.

Legend: N parameters, n layers, d = d_model, a = d_attn, f = d_ff, s = n_ctx, V = n_vocab,
h = n_head. Training = forward + backward = 3 × forward; a multiply-add is 2 FLOPs.
"""

from dataclasses import asdict, dataclass

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.params import count_params


@dataclass(frozen=True)
class FlopCount:
    """Training FLOPs per token (forward + backward), one field a convention.

    Args:
        kaplan: 6·N_non_embedding, C ≈ 6NBS of Kaplan 2020.
        kaplan_attention: the same plus attention scores, 6N + 6·n·s·a (Kaplan 2020 Table 1,
            C_forward = 2N + 2·n·s·a).
        chinchilla: Hoffmann 2022 appendix F: embedding as a matmul, scores, softmax, reduction,
            feed-forward and logits.
        matmul: what the hardware multiplies: every weight matmul once, the head always (tied
            or not), both attention products over the full context, embedding gather 0.
        six_n_total: 6·N_total, the rule of thumb of most tables.
    """

    kaplan: float
    kaplan_attention: float
    chinchilla: float
    matmul: float
    six_n_total: float

    def to_dict(self) -> dict[str, float]:
        """Return the contract's JSON object."""
        return asdict(self)


def flops_per_token(architecture: Architecture) -> FlopCount:
    """Count training FLOPs per token under each convention.

    >>> counts = flops_per_token(Architecture(n_layer=12, d_model=768))
    >>> counts.kaplan == 6 * 84_934_656
    True
    """
    a = architecture
    params = count_params(a)
    attention_scores = 2 * a.n_layer * a.n_ctx * a.d_attn
    head = 2 * a.d_model * a.n_vocab
    return FlopCount(
        kaplan=6.0 * params.non_embedding,
        kaplan_attention=3.0 * (2 * params.non_embedding + attention_scores),
        chinchilla=3.0 * _chinchilla_forward(a),
        matmul=3.0 * (2 * params.non_embedding + 2 * attention_scores + head),
        six_n_total=6.0 * params.total,
    )


def _chinchilla_forward(a: Architecture) -> float:
    """Forward FLOPs per token of Hoffmann 2022 appendix F (per sequence there, ÷ s here)."""
    embedding = 2 * a.n_vocab * a.d_model
    qkv = 2 * 3 * a.d_model * a.d_attn
    logits = 2 * a.n_ctx * a.d_attn
    softmax = 3 * a.n_head * a.n_ctx
    reduction = 2 * a.n_ctx * a.d_attn
    projection = 2 * a.d_attn * a.d_model
    dense = 2 * 2 * a.d_model * a.d_ff
    unembedding = 2 * a.d_model * a.n_vocab
    block = qkv + logits + softmax + reduction + projection + dense
    return embedding + a.n_layer * block + unembedding
