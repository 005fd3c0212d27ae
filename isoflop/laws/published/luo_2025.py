"""Luo et al. 2025: the multi-power law of learning curves, three sizes.

Legend: L = L0 + A·S1^-alpha - B·Σ drop·[1 - (1 + C·eta^-gamma·S_k)^-beta].
"""

from isoflop.laws.published.entry import PublishedLaw, theta_of
from isoflop.laws.schedules.multi_power import MultiPowerLaw
from isoflop.laws.schedules.usual import Frame, cosine_schedule

PAPER = "Luo et al. 2025 (arXiv 2503.12811)"
SYMBOLS = ("L0", "A", "alpha", "B", "C", "beta", "gamma")
COSINE = cosine_schedule(Frame(24_000, 3e-4, 2_160), floor=3e-5)
"""The schedule under which the catalog's entries predict."""


def _curve(size: str, constants: tuple[float, ...]) -> PublishedLaw:
    return PublishedLaw(
        name=f"luo-2025-{size.lower()}",
        law=MultiPowerLaw((COSINE,)),
        theta=theta_of(*constants),
        predicts="loss",
        convention="step from 0; rates summed from the first step of the warm-up on",
        source=f"{PAPER}, authors' settings for the {size} model",
        printed=dict(zip(SYMBOLS, constants, strict=True)),
        printed_units={"L0": "nats/token"},
        note="Under the paper's cosine, 24,000 steps from 3e-4 to 3e-5 after 2,160 of warm-up; for "
        "another schedule put it and these constants into MultiPowerLaw. Stopped early: "
        "a lower value of the same objective exists.",
    )


ENTRIES = (
    _curve(
        "25M",
        (3.04045406, 0.52468604, 0.50786857, 363.78751622, 2.06560812, 0.58279013, 0.64142257),
    ),
    _curve(
        "100M",
        (2.6514477, 0.60115152, 0.45295811, 437.9464276, 2.13245612, 0.59785199, 0.65523644),
    ),
    _curve(
        "400M",
        (2.37474466, 0.65421216, 0.42878731, 523.42464371, 2.02462735, 0.59350493, 0.63472457),
    ),
)
