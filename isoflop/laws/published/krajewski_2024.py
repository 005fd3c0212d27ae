"""Krajewski et al. 2024: fine-grained experts.

Legend: L = c + (g/G^gamma + a)/N^alpha + b/D^beta, G granularity.
"""

from isoflop.laws.published.entry import PublishedLaw, theta_of
from isoflop.laws.routed import GranularityLaw

CONSTANTS = {
    "c": 0.47,
    "g": 2.1,
    "gamma": 0.58,
    "a": 18.1,
    "alpha": 0.115,
    "b": 30.8,
    "beta": 0.147,
}

FIT = PublishedLaw(
    name="krajewski-2024",
    law=GranularityLaw(),
    theta=theta_of(*CONSTANTS.values()),
    predicts="loss",
    convention="N and D as in the paper, whose count of N is not part of this catalog's sources; "
    "G how many times narrower an expert is than a dense layer",
    source="Krajewski et al. 2024 (arXiv 2402.07871), fit of the granularity law",
    printed=CONSTANTS,
    printed_units={"c": "nats/token"},
    rounding="its exponents are printed to two or three digits",
    note="The gain of finer experts shrinks with G^-gamma; what routing itself costs is not in it.",
)

ENTRIES = (FIT,)
