"""Kaplan et al. 2020, appendix B: the frontier that follows from L(N, S) and B_crit(L).

Legend: L(N, S) = (N_c/N)^alpha_N + (S_c/S)^alpha_S, B_crit = B_star/L^(1/alpha_B), f =
alpha_N/alpha_S the fraction above converged loss at which optimal training stops.
Theory and the empirical rules of Table 6 differ by up to 2.4 at 1 PF-day: never mix them.
"""

from dataclasses import dataclass

from isoflop.laws.growth import GrowthLaw
from isoflop.laws.power import PowerLaw
from isoflop.laws.published import kaplan_2020
from isoflop.laws.published.entry import PublishedLaw, decay_theta, theta_of
from isoflop.laws.published.kaplan_2020 import C_MIN, NON_EMBEDDING, PAPER, ROUNDING
from isoflop.laws.published.kaplan_2020_rules import ALPHA_B, B_STAR


@dataclass(frozen=True)
class Frontier:
    """Constants of the optimum in C_min.

    L = (loss_scale/C)^loss_exponent, N = params_prefactor·C^params_exponent, and likewise S.

    Args:
        loss_scale: C_c, FLOPs.
        loss_exponent: alpha_C.
        params_prefactor: parameters at one FLOP.
        params_exponent: alpha_C/alpha_N.
        steps_prefactor: steps at one FLOP, far above the critical batch.
        steps_exponent: alpha_C/alpha_S.
    """

    loss_scale: float
    loss_exponent: float
    params_prefactor: float
    params_exponent: float
    steps_prefactor: float
    steps_exponent: float


def derive_frontier(alpha_N: float, alpha_S: float, N_c: float, S_c: float) -> Frontier:
    """Minimise L(N, C) over N at fixed C, with B_star and alpha_B of Table 5.

    Args:
        alpha_N: exponent in N.
        alpha_S: exponent in S.
        N_c: scale of N, parameters.
        S_c: scale of S, steps.

    Returns:
        The frontier, in FLOPs.

    >>> from isoflop.base.units import to_pf_days
    >>> frontier = derive_frontier(0.077, 0.76, 6.5e13, 2.1e3)
    >>> print(f"{to_pf_days(frontier.loss_scale):.3g} {frontier.params_exponent:.2f}")
    1.61e+08 0.68
    """
    f = alpha_N / alpha_S
    alpha_C = 1 / (1 / alpha_S + 1 / ALPHA_B + 1 / alpha_N)
    flops_per_step = 6 * N_c * B_STAR
    C_c = flops_per_step * S_c * (1 + f) ** (1 / alpha_S + 1 / alpha_N) * f ** (-1 / alpha_S)
    p_N, p_S = alpha_C / alpha_N, alpha_C / alpha_S
    k_N = N_c * (1 + f) ** (1 / alpha_N) * C_c**-p_N
    k_S = C_c / flops_per_step * (1 + f) ** (-1 / alpha_N) * C_c**-p_S
    return Frontier(C_c, alpha_C, k_N, p_N, k_S, p_S)


FRONTIER = derive_frontier(*kaplan_2020.NS.theta.tolist())

SOURCE = f"{PAPER}, appendix B, with Table 3 and B_crit of Table 5"
PRINTED = {**kaplan_2020.NS.printed, "B_star": B_STAR, "alpha_B": ALPHA_B}
PRINTED_UNITS = {**kaplan_2020.NS.printed_units, "B_star": "tokens/step"}

L_CMIN = PublishedLaw(
    name="kaplan-2020-theory-l-cmin",
    law=PowerLaw("flops"),
    theta=decay_theta(FRONTIER.loss_scale, FRONTIER.loss_exponent),
    predicts="loss",
    convention=C_MIN,
    source=SOURCE,
    printed=PRINTED,
    printed_units=PRINTED_UNITS,
    rounding=ROUNDING,
    note="C_c 1.61e8 PF-days, alpha .0525; with the constants of Table 5 C_c is 2.22e8. The paper "
    "prints alpha .052 here, .054 in section 6.4, and fits 3.1e8 and .050 in Table 5.",
)

N_OPT = PublishedLaw(
    name="kaplan-2020-theory-n-opt",
    law=GrowthLaw("flops"),
    theta=theta_of(FRONTIER.params_prefactor, FRONTIER.params_exponent),
    predicts="n_params",
    convention=f"{NON_EMBEDDING}; {C_MIN}",
    source=SOURCE,
    printed=PRINTED,
    printed_units=PRINTED_UNITS,
    rounding=ROUNDING,
    note="Exponent .68, 5.8e8 parameters at 1 PF-day; the paper quotes .71 (from .054/.076), and "
    "Table 6 has .73 and 1.3e9: kaplan-2020-n-opt.",
)

S_MIN = PublishedLaw(
    name="kaplan-2020-theory-s-min",
    law=GrowthLaw("flops"),
    theta=theta_of(FRONTIER.steps_prefactor, FRONTIER.steps_exponent),
    predicts="steps",
    convention=C_MIN,
    source=SOURCE,
    printed=PRINTED,
    printed_units=PRINTED_UNITS,
    rounding=ROUNDING,
    note="Exponent .07, 1.3e4 steps at 1 PF-day; Table 6 has .03 and 5.4e3: kaplan-2020-s-min.",
)

D_OPT = PublishedLaw(
    name="kaplan-2020-theory-d-opt",
    law=GrowthLaw("flops"),
    theta=theta_of(1 / (6 * FRONTIER.params_prefactor), 1 - FRONTIER.params_exponent),
    predicts="n_tokens",
    convention=C_MIN,
    source=f"{SOURCE}; D = C_min/(6N)",
    printed=PRINTED,
    printed_units=PRINTED_UNITS,
    rounding=ROUNDING,
    note="Exponent .32; Table 6 has .27: kaplan-2020-d-opt.",
)

ENTRIES = (L_CMIN, N_OPT, S_MIN, D_OPT)
