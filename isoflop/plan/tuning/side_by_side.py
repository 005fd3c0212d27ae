"""Peak learning rate and batch for one run, by every rule, with how far each extrapolates.

Legend: N parameters, D tokens, C = 6ND FLOPs, L loss, B tokens a step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError
from isoflop.base.estimate import Estimate, shorten
from isoflop.laws.law import Array
from isoflop.plan.constants import Constants, all_notes, estimate_from, take_constants
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive
from isoflop.plan.rows import predict_rows

RULES = (
    "kaplan-2020-lr",
    "deepseek-2024-lr",
    "li-2025-lr",
    "deepseek-2024-batch",
    "li-2025-batch",
    "kaplan-2020-b-crit-l",
)
"""Rates first, then batches; the last is the critical batch, above which tokens are wasted."""

LOSS_LAW = "kaplan-2020-nd"
"""Loss for the critical batch, in nats per token of WebText2, as its rule reads it."""

QUANTITIES = ("lr", "batch_tokens")
FAR = 1e4
"""Factor outside its runs from which a rule's answer is no recommendation: four decades, where
the runs behind the widest of these rules span six and behind most two or three."""


@dataclass(frozen=True)
class Recommendation:
    """What one rule says.

    Args:
        rule: its name.
        quantity: `lr` or `batch_tokens`.
        value: what it says; no number where its formula has left its domain.
        read: {column: amount} that it reads.
        ranges: {column: (lowest, highest)} of its runs, None where not recorded.
        beyond: {column: factor} by which the amount lies outside; empty within the range.
        source: paper, or where a fit came from.
    """

    rule: str
    quantity: str
    value: Estimate
    read: Mapping[str, float]
    ranges: Mapping[str, tuple[float, float]] | None
    beyond: Mapping[str, float]
    source: str

    @property
    def far(self) -> float:
        """Largest factor outside its runs, 1 within; infinite outside its formula's domain."""
        if not np.isfinite(self.value.value):
            return np.inf
        return max((1.0, *self.beyond.values()))

    @property
    def reach(self) -> str:
        """How far it extrapolates, in words."""
        if not np.isfinite(self.value.value):
            return "outside the formula's domain"
        if self.ranges is None:
            return "range not recorded"
        if not self.beyond:
            return "within its runs"
        return ", ".join(f"{name} {shorten(x)}× outside" for name, x in self.beyond.items())

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        ranges = self.ranges and {name: list(ends) for name, ends in self.ranges.items()}
        return {
            "rule": self.rule,
            "quantity": self.quantity,
            "value": self.value.to_dict(),
            "read": dict(self.read),
            "ranges": ranges,
            "beyond": dict(self.beyond),
            "reach": self.reach,
            "source": self.source,
        }


@dataclass(frozen=True)
class Tuning:
    """Rules side by side.

    Args:
        target: {column: amount} of the run.
        rows: one for each rule.
        spread: {quantity: largest over smallest recommendation}.
        notes: what the numbers rest on.
    """

    target: Mapping[str, float]
    rows: tuple[Recommendation, ...]
    spread: Mapping[str, float]
    notes: tuple[str, ...]

    @property
    def warning(self) -> str:
        """What rules so far outside their runs are worth, in words; "" where none is."""
        far = [row for row in self.rows if row.far > FAR]
        if not far:
            return ""
        names = sorted({name for row in far for name, factor in row.beyond.items() if factor > FAR})
        asked = ", ".join(f"{name} {shorten(self.target[name])}" for name in names)
        return (
            f"{len(far)} of {len(self.rows)} rules are asked more than {FAR:g} times outside their "
            f"runs ({asked or 'outside the formula'}): {', '.join(row.rule for row in far)} "
            "recommend nothing there; check the amounts for a slip"
        )

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "target": dict(self.target),
            "rows": [row.to_dict() for row in self.rows],
            "spread": dict(self.spread),
            "notes": list(self.notes),
            "warning": self.warning,
        }


def compare_tuning(
    n_params: float,
    n_tokens: float,
    *,
    loss: float | None = None,
    rules: Sequence[AnyLaw | str] = (),
) -> Tuning:
    """Set the learning rates and batches that rules give for one run side by side.

    Args:
        n_params: N, without embeddings: so all three papers count.
        n_tokens: D.
        loss: L, for the critical batch; by Kaplan's L(N, D) unless given, nats per token.
        rules: fits or published laws of `lr` or `batch_tokens`, beside those of the papers.

    Raises:
        InputError: an amount that is not positive, or a law of something else.

    >>> found = compare_tuning(1e9, 2e10)
    >>> {row.rule: str(row.value) for row in found.rows if row.rule.startswith("li-2025")}
    {'li-2025-lr': '0.000996', 'li-2025-batch': '4.42e5'}
    """
    check_positive(n_params=n_params, n_tokens=n_tokens, loss=loss)
    target = {"n_params": n_params, "n_tokens": n_tokens, "flops": 6 * n_params * n_tokens}
    target["loss"] = loss or _expected_loss(n_params, n_tokens)
    constants = [take_constants(rule) for rule in (*RULES, *rules)]
    rows = [_recommend(each, target) for each in constants]
    spread = {}
    for quantity in QUANTITIES:
        values = [row.value.value for row in rows if row.quantity == quantity]
        known = [value for value in values if np.isfinite(value)]
        spread[quantity] = max(known) / min(known)
    return Tuning(
        target=target,
        rows=tuple(sorted(rows, key=lambda row: QUANTITIES.index(row.quantity))),
        spread=spread,
        notes=_notes(constants),
    )


def _notes(constants: Sequence[Constants]) -> tuple[str, ...]:
    """That papers' rules bring no interval, and what is said of other rules."""
    covariance, *_ = all_notes(*constants)
    own = all_notes(*(each for each in constants if each.name not in RULES))
    return (covariance, *own)


def _expected_loss(n_params: float, n_tokens: float) -> float:
    law = take_constants(LOSS_LAW)
    return float(predict_rows(law.law, law.theta[None], n_params=n_params, n_tokens=n_tokens)[0])


def _recommend(constants: Constants, target: Mapping[str, float]) -> Recommendation:
    """Evaluate one rule."""
    law, quantity = constants.law, constants.predicts
    unread = [name for name in law.variables if name not in target]
    if quantity not in QUANTITIES or unread:
        raise InputError(
            f"{constants.name} predicts {quantity} from {', '.join(law.variables)}; needed: a rule "
            f"for {' or '.join(QUANTITIES)} from {', '.join(target)}"
        )
    read = {name: target[name] for name in law.variables}

    def value(rows: Array) -> Array:
        found = predict_rows(law, rows, **read)
        return np.where(found > 0, found, np.nan)

    ranges = constants.ranges and {
        name: ends for name, ends in constants.ranges.items() if name in read
    }
    return Recommendation(
        rule=constants.name,
        quantity=quantity,
        value=estimate_from(value, constants),
        read=read,
        ranges=ranges or None,
        beyond=_beyond(read, ranges or {}),
        source=constants.source,
    )


def _beyond(
    read: Mapping[str, float], ranges: Mapping[str, tuple[float, float]]
) -> dict[str, float]:
    """Factors by which amounts lie outside the runs."""
    factors = {
        name: max(ends[0] / read[name], read[name] / ends[1]) for name, ends in ranges.items()
    }
    return {name: factor for name, factor in factors.items() if factor > 1}
