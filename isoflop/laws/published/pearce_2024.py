"""Pearce & Song 2024: Chinchilla's surface in non-embedding parameters.

Legend: N_T = N + gamma·N^(1/3); E, A, B, alpha, beta those of the surface in N_T.
"""

from isoflop.laws.embedding import EmbeddingLaw
from isoflop.laws.published import besiroglu_2024, hoffmann_2022
from isoflop.laws.published.entry import PublishedLaw, theta_of

PAPER = "Pearce & Song 2024 (arXiv 2406.12907)"
GAMMA = 47491.0
CONVENTION = (
    "N without embeddings, of Chinchilla's shapes with 32,000 tokens of vocabulary; C = 6ND"
)
NOTE = (
    "A power law through its optima at Kaplan's budgets has exponent {local}, found by the "
    "authors on a grid of 20 sizes; {small} for the smallest models, {large} for the largest."
)


def _seen(name: str, surface: PublishedLaw, title: str, note: str) -> PublishedLaw:
    constants = {key: surface.printed[key] for key in ("E", "A", "B", "alpha", "beta")}
    return PublishedLaw(
        name=name,
        law=EmbeddingLaw(),
        theta=theta_of(*constants.values(), GAMMA),
        predicts="loss",
        convention=CONVENTION,
        source=f"{PAPER}, gamma fitted to Chinchilla's models, surface of {title}",
        printed={**constants, "gamma": GAMMA},
        printed_units={"E": "nats/token"},
        note=note,
    )


ENTRIES = (
    _seen(
        "pearce-2024",
        besiroglu_2024.ENTRIES[0],
        "Besiroglu et al. 2024",
        NOTE.format(local=".78", small=".759", large=".513"),
    ),
    _seen(
        "pearce-2024-tex",
        hoffmann_2022.TEX,
        "Hoffmann's TeX source",
        NOTE.format(local=".74", small=".716", large=".456"),
    ),
)
