"""Hoffmann et al. 2022 (Chinchilla): the parametric fit and the allocation rules.

Legend: L = E + A/N^alpha + B/D^beta; a, b exponents of N_opt ∝ C^a, D_opt ∝ C^b.
"""

from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.chinchilla_frontier import ChinchillaFrontierLaw, frontier_theta
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.published.entry import PublishedLaw, theta_of

PAPER = "Hoffmann et al. 2022 (arXiv 2203.15556)"
TOTAL = "N all parameters including embeddings; C = 6ND (appendix F counts it within 10 %)"
TABLE_UNITS = {"k": "at 1 FLOP"}

PRINTED = PublishedLaw(
    name="hoffmann-2022",
    law=ChinchillaLaw(),
    theta=theta_of(1.69, 406.4, 410.7, 0.34, 0.28),
    predicts="loss",
    convention=TOTAL,
    source=f"{PAPER}, eq. 10",
    printed={"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28},
    printed_units={"E": "nats/token"},
    rounding="its exponents are printed to two digits: D/N at 5.76e23 FLOPs is 92.6 with them and "
    "58.9 with those of the TeX source (hoffmann-2022-tex)",
    note="Approach 3; the refits of the same runs (besiroglu-2024) give 18.",
)

TEX = PublishedLaw(
    name="hoffmann-2022-tex",
    law=ChinchillaLaw(),
    theta=theta_of(1.6934, 406.4, 410.7, 0.33917, 0.28491),
    predicts="loss",
    convention=TOTAL,
    source=f"{PAPER}, TeX source of eq. 10",
    printed={"E": 1.6934, "A": 406.4, "B": 410.7, "alpha": 0.33917, "beta": 0.28491},
    printed_units={"E": "nats/token"},
    note="Approach 3. A minimum of an averaged Huber loss, where the optimiser stopped early: "
    "objective 1.23e-3 against the best 1.018e-3 on the same runs (Besiroglu et al. 2024).",
)

FRONTIER = PublishedLaw(
    name="hoffmann-2022-tex-l-c",
    law=ChinchillaFrontierLaw(),
    theta=frontier_theta(TEX.theta),
    predicts="loss",
    convention=TOTAL,
    source=f"{PAPER}, eq. 4 put into eq. 10",
    printed=TEX.printed,
    printed_units={"E": "nats/token"},
    note="K = A·G^-alpha + B·G^beta and gamma = alpha·beta/(alpha + beta) of hoffmann-2022-tex.",
)

RULE_NOTE = (
    "A power law through the rows of Table A3, made for this catalog; the paper prints the "
    "exponent alone, {printed}."
)
RULE_ROUNDING = "its constants are read off a table of two or three digits"


def _rule(approach: int, letter: str, k: float, p: float, printed: str) -> PublishedLaw:
    """One allocation rule of approach 1 or 2, in FLOPs."""
    return PublishedLaw(
        name=f"hoffmann-2022-a{approach}-{letter.lower()}-opt",
        law=GrowthLaw("flops"),
        theta=theta_of(k, p),
        predicts="n_params" if letter == "N" else "n_tokens",
        convention=TOTAL,
        source=f"{PAPER}, approach {approach}, Table A3",
        printed={"k": k, "p": p},
        printed_units=TABLE_UNITS,
        rounding=RULE_ROUNDING,
        note=RULE_NOTE.format(printed=printed),
    )


ENTRIES = (
    PRINTED,
    TEX,
    FRONTIER,
    _rule(1, "N", 0.0992, 0.498, "a .50 (.488, .502)"),
    _rule(1, "D", 1.70, 0.502, "b .50 (.501, .512)"),
    _rule(2, "N", 0.145, 0.490, "a .49 (.462, .534)"),
    # D = C/(6N), so that both rules spend the budget exactly.
    _rule(2, "D", 1 / (6 * 0.145), 0.510, "b .51 (.483, .529)"),
)
