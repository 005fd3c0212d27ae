"""Kaplan et al. 2020: what a budget, a loss or a size asks for (Tables 5 and 6, eq. 4.3, 6.7).

Legend: C_min FLOPs of training far below the critical batch, printed in PF-days; B_crit
critical batch, B_star and alpha_B its constants in L.
"""

from isoflop.laws.critical_batch import CriticalBatchLaw
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.logarithm import LogarithmLaw
from isoflop.laws.published.entry import PublishedLaw, growth_theta, theta_of
from isoflop.laws.published.kaplan_2020 import C_MIN, NON_EMBEDDING, PAPER, ROUNDING

B_STAR = 2.1e8  # tokens, Table 5
ALPHA_B = 0.21  # Table 5

PREFACTOR_UNIT = "at 1 PF-day"

N_OPT = PublishedLaw(
    name="kaplan-2020-n-opt",
    law=GrowthLaw("flops"),
    theta=growth_theta(1.3e9, 0.73),
    predicts="n_params",
    convention=f"{NON_EMBEDDING}; {C_MIN}",
    source=f"{PAPER}, Table 6",
    printed={"N_e": 1.3e9, "p_N": 0.73},
    printed_units={"N_e": f"parameters {PREFACTOR_UNIT}"},
    rounding=ROUNDING,
    note="Empirical. The appendix's theory has exponent .68 (the paper quotes .71) and 5.8e8 at "
    "1 PF-day: kaplan-2020-theory-n-opt. Unadjusted, at fixed batch, the exponent is .88.",
)

B_CRIT = PublishedLaw(
    name="kaplan-2020-b-crit",
    law=GrowthLaw("flops"),
    theta=growth_theta(2.0e6, 0.24),
    predicts="batch_tokens",
    convention=C_MIN,
    source=f"{PAPER}, Table 6",
    printed={"B_e": 2.0e6, "p_B": 0.24},
    printed_units={"B_e": f"tokens/step {PREFACTOR_UNIT}"},
    rounding=ROUNDING,
    note="Batch to stay below on the compute-efficient frontier; of loss: kaplan-2020-b-crit-l.",
)

S_MIN = PublishedLaw(
    name="kaplan-2020-s-min",
    law=GrowthLaw("flops"),
    theta=growth_theta(5.4e3, 0.03),
    predicts="steps",
    convention=C_MIN,
    source=f"{PAPER}, Table 6",
    printed={"S_e": 5.4e3, "p_S": 0.03},
    printed_units={"S_e": f"steps {PREFACTOR_UNIT}"},
    rounding=ROUNDING,
    note="A lower bound, reached only far above the critical batch.",
)

D_OPT = PublishedLaw(
    name="kaplan-2020-d-opt",
    law=GrowthLaw("flops"),
    theta=growth_theta(2e10, 0.27),
    predicts="n_tokens",
    convention=C_MIN,
    source=f"{PAPER}, Table 6",
    printed={"D_e": 2e10, "p_D": 0.27},
    printed_units={"D_e": f"tokens {PREFACTOR_UNIT}"},
    rounding=ROUNDING,
    note="One epoch. Eq. 6.7 prints 4e10·C^.26 for training at the critical batch: "
    "kaplan-2020-d-opt-at-b-crit.",
)

D_OPT_AT_B_CRIT = PublishedLaw(
    name="kaplan-2020-d-opt-at-b-crit",
    law=GrowthLaw("flops"),
    theta=growth_theta(4e10, 0.26),
    predicts="n_tokens",
    convention=C_MIN,
    source=f"{PAPER}, eq. 6.7",
    printed={"D_e": 4e10, "p_D": 0.26},
    printed_units={"D_e": f"tokens {PREFACTOR_UNIT}"},
    rounding=ROUNDING,
    note="Training at the critical batch costs C = 2·C_min, hence the factor two over Table 6.",
)

B_CRIT_OF_LOSS = PublishedLaw(
    name="kaplan-2020-b-crit-l",
    law=CriticalBatchLaw(),
    theta=theta_of(B_STAR, ALPHA_B),
    predicts="batch_tokens",
    convention="L in nats per token of WebText2",
    source=f"{PAPER}, Table 5",
    printed={"B_star": B_STAR, "alpha_B": ALPHA_B},
    printed_units={"B_star": "tokens/step"},
    rounding=ROUNDING,
    note="B_crit = B_star/L^(1/alpha_B), whatever the size; doubles for every 13 % off the loss.",
)

D_OVERFIT = PublishedLaw(
    name="kaplan-2020-d-overfit",
    law=GrowthLaw("n_params"),
    theta=theta_of(5e3, 0.74),
    predicts="n_tokens",
    convention=f"{NON_EMBEDDING}; D distinct tokens",
    source=f"{PAPER}, penalty of eq. 4.3",
    printed={"D_e": 5e3, "p": 0.74},
    printed_units={"D_e": "tokens"},
    rounding=f"{ROUNDING}; the constants of Table 2 give 5.52e3·N^.738",
    note="Distinct tokens that keep the overfitting penalty L(N, D)/L(N, inf) - 1 below 2 %.",
)

LEARNING_RATE = PublishedLaw(
    name="kaplan-2020-lr",
    law=LogarithmLaw("n_params"),
    theta=theta_of(0.003239, 0.0001395),
    predicts="lr",
    convention=f"{NON_EMBEDDING}; peak rate of Adam, warm-up of 3000 steps, cosine to zero",
    source=f"{PAPER}, appendix D.1",
    printed={"a": 0.003239, "b": 0.0001395},
    rounding="its constants are printed to four digits",
    note="Natural logarithm: it gives Henighan's Table 4 (98304 parameters .00164, 6.79e8 "
    ".000402). It reaches zero at 1.2e10 parameters and says nothing near there.",
)

ENTRIES = (N_OPT, B_CRIT, S_MIN, D_OPT, D_OPT_AT_B_CRIT, B_CRIT_OF_LOSS, D_OVERFIT, LEARNING_RATE)
