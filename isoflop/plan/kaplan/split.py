"""How a growth of compute splits among model size, batch and serial steps.

Legend: C compute, N parameters, B critical batch in tokens, S steps, D tokens; N ∝ C^p_N and so
on, where p_N + p_B + p_S = 1; alpha_N, alpha_S of L(N, S), alpha_B of B_crit ∝ L^(-1/alpha_B).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isoflop.base.estimate import Estimate
from isoflop.laws.critical_batch import CriticalBatchLaw
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.kaplan import KaplanStepsLaw
from isoflop.laws.law import Array
from isoflop.plan.constants import Constants, all_notes, estimate_from, take_constants
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive

TABLE_6 = ("kaplan-2020-n-opt", "kaplan-2020-b-crit", "kaplan-2020-s-min", "kaplan-2020-d-opt")
"""The measured rules of Kaplan et al. 2020: N, B, S, D of compute."""


@dataclass(frozen=True)
class Split:
    """What a growth of compute buys.

    Args:
        compute: factor by which compute grows.
        n_params: factor of the model's size.
        batch_tokens: factor of the batch, which parallel hardware absorbs.
        steps: factor of the serial steps, which time cannot escape.
        n_tokens: factor of the tokens.
        exponents: {quantity: exponent of compute}.
        rules: what was used.
        notes: what the numbers rest on.
    """

    compute: float
    n_params: Estimate
    batch_tokens: Estimate
    steps: Estimate
    n_tokens: Estimate
    exponents: dict[str, Estimate]
    rules: tuple[str, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        grown = ("n_params", "batch_tokens", "steps", "n_tokens")
        return {
            "compute": self.compute,
            **{name: getattr(self, name).to_dict() for name in grown},
            "exponents": {name: value.to_dict() for name, value in self.exponents.items()},
            "rules": list(self.rules),
            "notes": list(self.notes),
        }


def split_growth(
    compute: float = 1e9,
    *,
    steps_law: AnyLaw | str | None = None,
    critical_law: AnyLaw | str | None = None,
) -> Split:
    """Split a growth of compute among size, batch and steps (Kaplan et al. 2020, Figure 3).

    With no law the measured rules of Table 6, C^.73, C^.24, C^.03 and D ∝ C^.27. With a law of
    N and S and one of the critical batch the theory of appendix B: alpha_C = 1/(1/alpha_S +
    1/alpha_B + 1/alpha_N), and exponents alpha_C/alpha_N, alpha_C/alpha_B, alpha_C/alpha_S.

    Args:
        compute: factor by which compute grows.
        steps_law: a `kaplan-ns` fit or published law; `kaplan-2020-ns` if the other is given.
        critical_law: a `critical-batch` one; `kaplan-2020-b-crit-l` if the other is given.

    Raises:
        InputError: a factor that is not positive, or a law of another form.

    >>> found = split_growth(1e9)
    >>> print(found.n_params, found.batch_tokens, found.steps, found.n_tokens)
    3.72e6 145 1.86 269
    >>> theory = split_growth(1e9, steps_law="kaplan-2020-ns")
    >>> [f"{theory.exponents[k].value:.2f}" for k in ("n_params", "batch_tokens", "steps")]
    ['0.68', '0.25', '0.07']
    """
    check_positive(compute=compute)
    if steps_law is None and critical_law is None:
        return _by_table(compute)
    ns = take_constants(steps_law or "kaplan-2020-ns", KaplanStepsLaw)
    critical = take_constants(critical_law or "kaplan-2020-b-crit-l", CriticalBatchLaw)
    shares: dict[str, Callable[..., Array]] = {
        "n_params": lambda ns, b: frontier_exponent(ns, b) / ns[:, 0],
        "batch_tokens": lambda ns, b: frontier_exponent(ns, b) / b[:, 1],
        "steps": lambda ns, b: frontier_exponent(ns, b) / ns[:, 1],
        "n_tokens": lambda ns, b: 1 - frontier_exponent(ns, b) / ns[:, 0],
    }
    return _split(compute, {name: (share, (ns, critical)) for name, share in shares.items()})


def frontier_exponent(ns_rows: Array, critical_rows: Array) -> Array:
    """alpha_C of L ∝ C^-alpha_C on the compute-efficient frontier (eq. B.4), (K,)."""
    return 1 / (1 / ns_rows[:, 1] + 1 / critical_rows[:, 1] + 1 / ns_rows[:, 0])


def _by_table(compute: float) -> Split:
    quantities = ("n_params", "batch_tokens", "steps", "n_tokens")
    rules = [take_constants(name, GrowthLaw) for name in TABLE_6]
    return _split(
        compute,
        {
            name: (lambda rows: rows[:, 1], (rule,))
            for name, rule in zip(quantities, rules, strict=True)
        },
    )


def _split(
    compute: float, shares: dict[str, tuple[Callable[..., Array], tuple[Constants, ...]]]
) -> Split:
    """Exponents, and the factors that follow from them."""
    exponents = {
        name: estimate_from(share, *constants, log=False)
        for name, (share, constants) in shares.items()
    }
    factors = {
        name: estimate_from(
            lambda *rows, share=share: np.exp(share(*rows) * np.log(compute)), *constants
        )
        for name, (share, constants) in shares.items()
    }
    used = {each.name: each for _, constants in shares.values() for each in constants}
    return Split(
        compute=compute,
        **factors,
        exponents=exponents,
        rules=tuple(used),
        notes=all_notes(*used.values()),
    )
