"""How many distinct tokens keep overfitting small, and from which step training may stop.

Legend: N parameters, D distinct tokens, L(N, D) loss, penalty L(N, D)/L(N, inf) - 1, S steps;
S_c, alpha_S of L(N, S).
"""

from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import RefusalError
from isoflop.base.estimate import Estimate
from isoflop.laws.kaplan import KaplanStepsLaw, KaplanTokensLaw
from isoflop.laws.law import AbstractLaw, Array
from isoflop.plan.constants import Constants, all_notes, estimate_from, reach_note, take_constants
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive
from isoflop.plan.rows import predict_rows, solve_rows

TOLERANCE = 0.02
"""Kaplan's: the scatter between seeds."""
ENDLESS = 1e250
"""Tokens that stand for infinitely many; exponents of .01 leave 3e-3 of the term at one token."""
TOKENS_SEARCHED = (1.0, 1e40)


@dataclass(frozen=True)
class AtHand:
    """What the distinct tokens at hand do.

    Args:
        n_tokens: D.
        penalty: L(N, D)/L(N, inf) - 1.
        loss: L(N, D).
        stop_after: steps, far above the critical batch, before which stopping early wins nothing;
            None where the law of steps is of another unit of loss.
    """

    n_tokens: float
    penalty: Estimate
    loss: Estimate
    stop_after: Estimate | None

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "n_tokens": self.n_tokens,
            "penalty": self.penalty.to_dict(),
            "loss": self.loss.to_dict(),
            "stop_after": self.stop_after and self.stop_after.to_dict(),
        }


@dataclass(frozen=True)
class Overfitting:
    """What distinct tokens a size needs, and what those at hand cost.

    Args:
        n_params: N.
        tolerance: penalty allowed, such as .02.
        n_tokens_needed: distinct tokens that keep it.
        prefactor: k of D = k·N^p, None for laws where the bound is no power of N.
        exponent: p, likewise.
        at_hand: what D tokens do, None if none were asked about.
        notes: what the numbers rest on.
    """

    n_params: float
    tolerance: float
    n_tokens_needed: Estimate
    prefactor: Estimate | None
    exponent: Estimate | None
    at_hand: AtHand | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "n_params": self.n_params,
            "tolerance": self.tolerance,
            "n_tokens_needed": self.n_tokens_needed.to_dict(),
            "prefactor": self.prefactor and self.prefactor.to_dict(),
            "exponent": self.exponent and self.exponent.to_dict(),
            "at_hand": self.at_hand and self.at_hand.to_dict(),
            "notes": list(self.notes),
        }


def bound_overfitting(
    n_params: float,
    *,
    tolerance: float = TOLERANCE,
    n_tokens: float | None = None,
    law: AnyLaw | str = "kaplan-2020-nd",
    steps_law: AnyLaw | str = "kaplan-2020-ns",
) -> Overfitting:
    """Find the distinct tokens that keep L(N, D)/L(N, inf) - 1 below a tolerance.

    Under Kaplan's eq. 1.5, D = D_c·N_c^-p/((1 + tolerance)^(1/alpha_D) - 1)·N^p with
    p = alpha_N/alpha_D (eq. 4.3). Training on D tokens may stop early from
    S = S_c/(L(N, D) - L(N, inf))^(1/alpha_S) steps on (eq. 5.7, a lower bound).

    Args:
        n_params: N, non-embedding parameters for Kaplan's law.
        tolerance: penalty allowed.
        n_tokens: distinct tokens at hand; then the penalty and the early stop are given too.
        law: a fit of n_params and n_tokens, a published law, or the name or file of one.
        steps_law: a `kaplan-ns` one, for the early stop.

    Raises:
        InputError: an amount that is not positive, or a law of other variables.
        RefusalError: no number of tokens searched is enough.

    >>> found = bound_overfitting(1e9)
    >>> print(found.prefactor, found.exponent, found.n_tokens_needed)
    5519 0.738 2.41e10
    """
    check_positive(n_params=n_params, tolerance=tolerance, n_tokens=n_tokens)
    constants = take_constants(law, reads="n_params,n_tokens")

    def needed(rows: Array) -> Array:
        def shortfall(tokens: Array) -> Array:
            return tolerance - penalty_rows(constants.law, rows, n_params, tokens)

        return solve_rows(shortfall, *TOKENS_SEARCHED)

    tokens_needed = estimate_from(needed, constants)
    if not 0 < tokens_needed.value < np.inf:
        raise RefusalError(
            f"{constants.name} has a penalty of {tolerance:g} at no number of tokens from "
            f"{TOKENS_SEARCHED[0]:g} to {TOKENS_SEARCHED[1]:g}"
        )
    prefactor = exponent = None
    if isinstance(constants.law, KaplanTokensLaw):
        prefactor = estimate_from(lambda rows: bound_prefactor(rows, tolerance), constants)
        exponent = estimate_from(lambda rows: rows[:, 0] / rows[:, 1], constants)
    notes = (*all_notes(constants), *reach_note(constants, {"n_params": n_params}))
    at_hand = None
    if n_tokens is not None:
        ns = take_constants(steps_law, KaplanStepsLaw)
        at_hand = _at_hand(constants, ns, n_params, n_tokens)
        notes += (*all_notes(ns), *reach_note(constants, {"n_tokens": n_tokens}))
        if at_hand.stop_after is None:
            notes += (f"no early stop: {ns.name} reads {ns.loss_unit}, not {constants.loss_unit}",)
    return Overfitting(
        n_params,
        tolerance,
        tokens_needed,
        prefactor,
        exponent,
        at_hand,
        tuple(dict.fromkeys(notes)),
    )


def _at_hand(constants: Constants, ns: Constants, n_params: float, n_tokens: float) -> AtHand:
    law, tokens = constants.law, np.array([n_tokens])
    same_unit = constants.loss_unit == ns.loss_unit

    def loss(rows: Array) -> Array:
        return predict_rows(law, rows, n_params=n_params, n_tokens=tokens)

    def stop(rows: Array, ns_rows: Array) -> Array:
        gap = loss(rows) - predict_rows(law, rows, n_params=n_params, n_tokens=ENDLESS)
        return ns_rows[:, 3] * gap ** (-1 / ns_rows[:, 1])

    return AtHand(
        n_tokens=n_tokens,
        penalty=estimate_from(lambda rows: penalty_rows(law, rows, n_params, tokens), constants),
        loss=estimate_from(loss, constants),
        stop_after=estimate_from(stop, constants, ns) if same_unit else None,
    )


def bound_prefactor(rows: Array, tolerance: float) -> Array:
    """Return k of D = k·N^(alpha_N/alpha_D); rows alpha_N, alpha_D, N_c, D_c; (K,)."""
    alpha_N, alpha_D, N_c, D_c = rows.T
    return D_c * N_c ** (-alpha_N / alpha_D) / np.expm1(np.log1p(tolerance) / alpha_D)


def penalty_rows(law: AbstractLaw, rows: Array, n_params: float, n_tokens: Array) -> Array:
    """L(N, D)/L(N, inf) - 1, (K,)."""
    endless = predict_rows(law, rows, n_params=n_params, n_tokens=ENDLESS)
    return predict_rows(law, rows, n_params=n_params, n_tokens=n_tokens) / endless - 1
