"""Tao et al. 2024: the vocabulary a model should have.

Legend: N_nv parameters without embedding and head, N_v = V·d vocabulary parameters, D tokens,
L_u unigram-normalised loss; printed with N_nv, N_v in millions and D in billions.
"""

import math

from isoflop.laws.growth import GrowthLaw
from isoflop.laws.published.entry import PublishedLaw, theta_of
from isoflop.laws.vocabulary import VocabularyLaw

PAPER = "Tao et al. 2024 (arXiv 2407.13623)"
CONVENTION = "N_nv without embedding and head; N_v = V·d, counted once; C = 6(N_nv + N_v)D"
A1, A2, B, E = 1.8313851559554126, 0.19584238398665638, 2.1241123120064955, 5.5327846803337435
ALPHA2, BETA = 0.6707374679896795, 0.44660634152009615
K_N, K_V, P_V = -2.4846510161625193, -1.589031299255507, 0.4163622634135234
BASE_N, BASE_V, GAMMA = 33e6, 3145728.0, 0.8353974035228025

LOSS = PublishedLaw(
    name="tao-2024",
    law=VocabularyLaw(),
    theta=theta_of(E, A1 * 1e6**BETA, A2 * 1e6**ALPHA2, B * 1e9**BETA, ALPHA2, BETA),
    predicts="loss_unigram",
    convention=f"{CONVENTION}; D as the authors' fit counts it, 2.7 to 3 times the tokens "
    "(isoflop.laws.vocabulary.fitted_tokens)",
    source=f"{PAPER}, approach 3",
    printed={"E": E, "A1": A1, "A2": A2, "B": B, "alpha2": ALPHA2, "beta": BETA},
    printed_units={"A1": "(N_nv in millions)", "A2": "(N_v in millions)", "B": "(D in billions)"},
    note="alpha1 = beta. The authors fit with characters times f(V/1000) for D and plan with "
    "D = C/6(N_nv + N_v); with true tokens the constants miss their own runs by .46 nats.",
)

N_OPT = PublishedLaw(
    name="tao-2024-a1-n-opt",
    law=GrowthLaw("flops"),
    theta=theta_of(math.exp(K_N), 0.5),
    predicts="n_params_non_embedding",
    convention=CONVENTION,
    source=f"{PAPER}, approach 1",
    printed={"ln_k": K_N, "p": 0.5},
    note="k = e^ln_k at 1 FLOP; the exponent is set, not fitted.",
)

V_OPT = PublishedLaw(
    name="tao-2024-a1-v-opt",
    law=GrowthLaw("flops"),
    theta=theta_of(math.exp(K_V), P_V),
    predicts="n_params_vocabulary",
    convention=CONVENTION,
    source=f"{PAPER}, approach 1",
    printed={"ln_k": K_V, "p": P_V},
    note="k = e^ln_k at 1 FLOP; divide by the width for the number of tokens.",
)

V_OF_N = PublishedLaw(
    name="tao-2024-a2-v-opt",
    law=GrowthLaw("n_params_non_embedding"),
    theta=theta_of(BASE_V * BASE_N**-GAMMA, GAMMA),
    predicts="n_params_vocabulary",
    convention=CONVENTION,
    source=f"{PAPER}, approach 2",
    printed={"N_v_0": BASE_V, "N_nv_0": BASE_N, "gamma": GAMMA},
    printed_units={"N_v_0": "parameters", "N_nv_0": "parameters"},
    note="N_v = N_v_0·(N_nv/N_nv_0)^gamma, from where the FLOPs at a given text are fewest.",
)

ENTRIES = (LOSS, N_OPT, V_OPT, V_OF_N)
