"""Muennighoff et al. 2023: data-constrained scaling on C4.

Legend: L = E + A/N'^alpha + B/D'^beta with a = log A, b = log B, e = log E printed and
alpha = beta; N', D' discounted by R_N_star, R_D_star where data repeat.
"""

import math

from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.published.entry import PublishedLaw, theta_of
from isoflop.laws.repeated import RepeatedLaw

PAPER = "Muennighoff et al. 2023 (arXiv 2305.16264)"
LOGS = {"a": 6.255414, "b": 7.3049974, "e": 0.6254804}
EXPONENT = 0.3526596
DECAYS = {"R_D_star": 15.387756, "R_N_star": 5.309743}
BASE = (math.exp(LOGS["e"]), math.exp(LOGS["a"]), math.exp(LOGS["b"]), EXPONENT, EXPONENT)
CONVENTION = "N as in the authors' list of runs; C = 6ND"

ONE_EPOCH = PublishedLaw(
    name="muennighoff-2023",
    law=ChinchillaLaw(),
    theta=theta_of(*BASE),
    predicts="loss",
    convention=CONVENTION,
    source=f"{PAPER}, C4 fit on single-epoch runs",
    printed={**LOGS, "alpha": EXPONENT},
    note="a = log A, b = log B, e = log E; alpha = beta, so 19.6 tokens a parameter at any budget. "
    "For data that repeat: muennighoff-2023-repeated.",
)

REPEATED = PublishedLaw(
    name="muennighoff-2023-repeated",
    law=RepeatedLaw(),
    theta=theta_of(*BASE, *DECAYS.values()),
    predicts="loss",
    convention=f"{CONVENTION}; n_tokens processed, n_tokens_unique distinct",
    source=f"{PAPER}, decays fitted on 182 runs with the base held",
    printed={**LOGS, "alpha": EXPONENT, **DECAYS},
    printed_units={"R_D_star": "epochs"},
    note="A size above the optimum of its distinct tokens is discounted even within one epoch, so "
    "there it lies above muennighoff-2023. The decays are barely identified by the 182 runs.",
)

ENTRIES = (ONE_EPOCH, REPEATED)
