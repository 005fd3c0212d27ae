"""Pearce & Song 2024: Chinchilla's surface in non-embedding parameters.

Legend: N_T = N + gamma·N^(1/3); E, A, B, alpha, beta those of the surface in N_T.
"""

from collections.abc import Mapping

from isoflop.laws.embedding import EmbeddingLaw
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


EPOCH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
TEX = {"E": 1.6934, "A": 406.4, "B": 410.7, "alpha": 0.3392, "beta": 0.2849}


def _seen(name: str, surface: Mapping[str, float], title: str, note: str) -> PublishedLaw:
    return PublishedLaw(
        name=name,
        law=EmbeddingLaw(),
        theta=theta_of(*surface.values(), GAMMA),
        predicts="loss",
        convention=CONVENTION,
        source=f"{PAPER}, gamma fitted to Chinchilla's models, surface of {title}",
        printed={**surface, "gamma": GAMMA},
        printed_units={"E": "nats/token"},
        note=note,
    )


ENTRIES = (
    _seen(
        "pearce-2024",
        EPOCH,
        "Besiroglu et al. 2024",
        NOTE.format(local=".78", small=".759", large=".513"),
    ),
    _seen(
        "pearce-2024-tex",
        TEX,
        "Hoffmann's TeX source in four decimals",
        NOTE.format(local=".74", small=".716", large=".456"),
    ),
)
