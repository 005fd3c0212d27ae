"""Clark et al. 2022: routed language models, one fit a way of routing.

Legend: log10 L = a·log10 N + b·log10 Ê + c·log10 N·log10 Ê + d; E_start, E_max bound Ê.
"""

from isoflop.laws.published.entry import PublishedLaw, theta_of
from isoflop.laws.routed import RoutedLaw

PAPER = "Clark et al. 2022 (arXiv 2202.01169)"
SYMBOLS = ("a", "b", "c", "d", "E_start", "E_max")
EXPERTS = {"E_start": "experts", "E_max": "experts"}


def _routed(name: str, title: str, constants: tuple[float, ...], cutoff: str) -> PublishedLaw:
    return PublishedLaw(
        name=f"clark-2022-{name}",
        law=RoutedLaw(),
        theta=theta_of(*constants),
        predicts="loss",
        convention="N parameters one token passes through (dense count); E experts a routed "
        "layer, one used a token, every other layer routed",
        source=f"{PAPER}, fit of {title}",
        printed=dict(zip(SYMBOLS, constants, strict=True)),
        printed_units=EXPERTS,
        rounding=f"its coefficients have three decimals: routing ceases to help at {cutoff}",
        note="Logarithms to base 10; E = 1 is the dense model.",
    )


ENTRIES = (
    _routed(
        "s-base",
        "S-BASE routing",
        (-0.082, -0.108, 0.009, 1.104, 1.847, 314.478),
        "937B parameters in the paper and at 1e12 with these",
    ),
    _routed(
        "rl-r",
        "RL-R routing",
        (-0.083, -0.126, 0.012, 1.111, 1.880, 469.982),
        "85B parameters in the paper and at 3e10 with these",
    ),
    _routed(
        "hash",
        "Hash routing",
        (-0.087, -0.136, 0.012, 1.157, 4.175, 477.741),
        "83B parameters in the paper and at 2e11 with these",
    ),
)
