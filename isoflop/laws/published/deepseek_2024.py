"""DeepSeek LLM 2024: hyper-parameters and allocation in compute.

Legend: C = M·D FLOPs, M non-embedding FLOPs a token, D tokens, eta learning rate, B tokens a step.
"""

from isoflop.laws.growth import GrowthLaw
from isoflop.laws.published.entry import PublishedLaw, Quantity, theta_of

PAPER = "Bi et al. 2024 (DeepSeek LLM, arXiv 2401.02954)"
CONVENTION = "C = M·D, M = 72·n_layer·d² + 12·n_layer·d·n_ctx non-embedding FLOPs a token"


def _rule(name: str, quantity: Quantity, k: float, p: float, note: str) -> PublishedLaw:
    return PublishedLaw(
        name=f"deepseek-2024-{name}",
        law=GrowthLaw("flops"),
        theta=theta_of(k, p),
        predicts=quantity,
        convention=CONVENTION,
        source=f"{PAPER}, fits in C",
        printed={"k": k, "p": p},
        printed_units={"k": "at 1 FLOP"},
        rounding="its constants are printed to four digits",
        note=note,
    )


NEAR = "Of runs within .25 % of the lowest loss on their budget."
ENTRIES = (
    _rule("lr", "lr", 0.3118, -0.1250, NEAR),
    _rule("batch", "batch_tokens", 0.2920, 0.3271, NEAR),
    _rule("m-opt", "flops_per_token", 0.1715, 0.5243, "Times deepseek-2024-d-opt it is C."),
    _rule("d-opt", "n_tokens", 5.8316, 0.4757, "Times deepseek-2024-m-opt it is C."),
)
