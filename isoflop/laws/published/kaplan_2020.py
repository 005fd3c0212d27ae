"""Kaplan et al. 2020: the laws of loss (Tables 2, 3 and 5).

Legend: N non-embedding parameters, D tokens, C FLOPs, S steps; X_c scales, alpha_X exponents.
The same symbol has several values (N_c 8.8e13, 6.4e13, 6.5e13), one a fit; they are kept apart.
"""

from isoflop.base.units import from_pf_days
from isoflop.laws.kaplan import KaplanStepsLaw, KaplanTokensLaw
from isoflop.laws.power import PowerLaw
from isoflop.laws.published.entry import PublishedLaw, decay_theta, theta_of

PAPER = "Kaplan et al. 2020 (arXiv 2001.08361)"
NON_EMBEDDING = "N non-embedding parameters"
SIX_ND = "C = 6NBS with N non-embedding, printed in PF-days"
C_MIN = "C_min = C/(1 + B/B_crit), C = 6NBS with N non-embedding, printed in PF-days"
ROUNDING = "its constants are printed to two or three digits"

L_N = PublishedLaw(
    name="kaplan-2020-l-n",
    law=PowerLaw("n_params"),
    theta=decay_theta(8.8e13, 0.076),
    predicts="loss",
    convention=NON_EMBEDDING,
    source=f"{PAPER}, Table 5",
    printed={"N_c": 8.8e13, "alpha_N": 0.076},
    printed_units={"N_c": "parameters"},
    rounding=ROUNDING,
    note="Trained to convergence on ample data. The joint fits of Tables 2 and 3 print N_c "
    "6.4e13 and 6.5e13.",
)

L_D = PublishedLaw(
    name="kaplan-2020-l-d",
    law=PowerLaw("n_tokens"),
    theta=decay_theta(5.4e13, 0.095),
    predicts="loss",
    convention="D distinct tokens, WebText2 BPE of 50257",
    source=f"{PAPER}, Table 5",
    printed={"D_c": 5.4e13, "alpha_D": 0.095},
    printed_units={"D_c": "tokens"},
    rounding=ROUNDING,
    note="Large model, stopped early. The joint fit of Table 2 has alpha_D .103 and D_c 1.8e13 "
    "instead: kaplan-2020-l-d-table-2.",
)

L_D_TABLE_2 = PublishedLaw(
    name="kaplan-2020-l-d-table-2",
    law=PowerLaw("n_tokens"),
    theta=decay_theta(1.8e13, 0.103),
    predicts="loss",
    convention="D distinct tokens, WebText2 BPE of 50257",
    source=f"{PAPER}, Table 2, limit of infinite N",
    printed={"D_c": 1.8e13, "alpha_D": 0.103},
    printed_units={"D_c": "tokens"},
    rounding=ROUNDING,
    note="The data term of kaplan-2020-nd alone.",
)

L_C = PublishedLaw(
    name="kaplan-2020-l-c",
    law=PowerLaw("flops"),
    theta=decay_theta(from_pf_days(1.6e7), 0.057),
    predicts="loss",
    convention=SIX_ND,
    source=f"{PAPER}, Table 5",
    printed={"C_c": 1.6e7, "alpha_C": 0.057},
    printed_units={"C_c": "PF-days"},
    rounding=ROUNDING,
    note="Fixed batch of 2^19 tokens, not adjusted to batches far below critical.",
)

L_CMIN = PublishedLaw(
    name="kaplan-2020-l-cmin",
    law=PowerLaw("flops"),
    theta=decay_theta(from_pf_days(3.1e8), 0.050),
    predicts="loss",
    convention=C_MIN,
    source=f"{PAPER}, Table 5",
    printed={"C_c_min": 3.1e8, "alpha_C_min": 0.050},
    printed_units={"C_c_min": "PF-days"},
    rounding=f"{ROUNDING}; half a unit in the last digit of alpha_C_min moves the crossing from "
    "9.0e3 to 1.37e4 PF-days",
    note="Optimal size, batch far below critical. Figure 1 prints C_c_min 2.3e8 "
    "(kaplan-2020-l-cmin-figure-1); section 6.4 has alpha near .054, appendix B .052.",
)

L_CMIN_FIGURE_1 = PublishedLaw(
    name="kaplan-2020-l-cmin-figure-1",
    law=PowerLaw("flops"),
    theta=decay_theta(from_pf_days(2.3e8), 0.050),
    predicts="loss",
    convention=C_MIN,
    source=f"{PAPER}, label of Figure 1",
    printed={"C_c_min": 2.3e8, "alpha_C_min": 0.050},
    printed_units={"C_c_min": "PF-days"},
    rounding=ROUNDING,
    note="Table 5 prints 3.1e8 for the same constant (kaplan-2020-l-cmin).",
)

ND = PublishedLaw(
    name="kaplan-2020-nd",
    law=KaplanTokensLaw(),
    theta=theta_of(0.076, 0.103, 6.4e13, 1.8e13),
    predicts="loss",
    convention=f"{NON_EMBEDDING}; D distinct tokens",
    source=f"{PAPER}, eq. 1.5, Table 2",
    printed={"alpha_N": 0.076, "alpha_D": 0.103, "N_c": 6.4e13, "D_c": 1.8e13},
    printed_units={"N_c": "parameters", "D_c": "tokens"},
    rounding=ROUNDING,
    note="Stopped early, 10 % dropout; the smallest data set is left out of the fit.",
)

NS = PublishedLaw(
    name="kaplan-2020-ns",
    law=KaplanStepsLaw(),
    theta=theta_of(0.077, 0.76, 6.5e13, 2.1e3),
    predicts="loss",
    convention=f"{NON_EMBEDDING}; S_min = S/(1 + B_crit/B), steps at batches far above critical",
    source=f"{PAPER}, eq. 1.6, Table 3",
    printed={"alpha_N": 0.077, "alpha_S": 0.76, "N_c": 6.5e13, "S_c": 2.1e3},
    printed_units={"N_c": "parameters", "S_c": "steps"},
    rounding=ROUNDING,
    note="On data seen once.",
)

ENTRIES = (L_N, L_D, L_D_TABLE_2, L_C, L_CMIN, L_CMIN_FIGURE_1, ND, NS)
