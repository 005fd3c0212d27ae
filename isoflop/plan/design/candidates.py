"""Runs that could be bought, and what each would cost."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError, RunTableError
from isoflop.fitting.solve.coordinates import coordinates_of
from isoflop.laws.law import Array
from isoflop.plan.design.knowledge import Knowledge
from isoflop.plan.optimum.optimum import optimal_params
from isoflop.runs.table import RunTable

SPREAD = 8.0
"""Sizes up to this factor above and below the optimum of their budget."""
DECADES = 3.0
"""Range of compute from the largest run down, unless asked otherwise."""
PER_DECADE = 6
"""Budgets a decade of compute."""
SIZES = 13
"""Sizes a budget."""


@dataclass(frozen=True)
class Candidates:
    """Runs that could be bought.

    Args:
        n_params: (n,) parameters.
        n_tokens: (n,) tokens.
        flops: (n,) compute.
        price: (n,) what each costs, in `unit`.
        unit: of the price: FLOPs, or the price column's name.
    """

    n_params: Array
    n_tokens: Array
    flops: Array
    price: Array
    unit: str = "FLOPs"

    def __len__(self) -> int:
        return len(self.n_params)

    def select(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> "Candidates":
        """Return some of the runs."""
        return Candidates(
            self.n_params[keep],
            self.n_tokens[keep],
            self.flops[keep],
            self.price[keep],
            self.unit,
        )

    def slopes(self, known: Knowledge, theta: Array) -> Array:
        """Derivatives of each run's log loss by solver coordinates, in units of noise, (n, p)."""
        variables = {"n_params": self.n_params, "n_tokens": self.n_tokens}
        by_phi = known.law.gradient(theta, variables) * coordinates_of(known.law).chain(theta)
        return by_phi / known.law.predict(theta, variables)[:, None] / known.noise


def propose_candidates(
    known: Knowledge, *, smallest: float, largest: float, spread: float = SPREAD
) -> Candidates:
    """List runs on lines of equal compute, at and around the optimum of each.

    Args:
        known: the law; its best guess says where the optimum lies.
        smallest: FLOPs of the cheapest runs.
        largest: FLOPs of the dearest.
        spread: sizes reach this factor above and below the optimum.

    Raises:
        InputError: an empty range of compute, or a spread of 1 or less.
    """
    if not (np.isfinite([smallest, largest]).all() and 0 < smallest < largest):
        raise InputError(
            f"runs must span a range of compute, found {smallest:g} to {largest:g} FLOPs"
        )
    if not (np.isfinite(spread) and spread > 1):
        raise InputError(f"sizes must spread around the optimum by more than 1x, found {spread:g}")
    n_budgets = max(2, 1 + round(PER_DECADE * np.log10(largest / smallest)))
    budgets = np.geomspace(smallest, largest, n_budgets)
    centres = [optimal_params(known.law, known.thetas[0], c, cost=known.cost)[0] for c in budgets]
    return runs_around(known, budgets, np.array(centres), np.geomspace(1 / spread, spread, SIZES))


def runs_around(known: Knowledge, budgets: Array, centres: Array, ratios: Array) -> Candidates:
    """Cross budgets with sizes around a centre of each.

    Args:
        known: the law, for what a token costs.
        budgets: (b,) FLOPs.
        centres: (b,) parameters.
        ratios: (r,) multiples of the centre.
    """
    n_params = np.outer(centres, ratios).ravel()
    flops = np.repeat(budgets, len(ratios))
    return Candidates(n_params, flops / known.cost.flops_per_token(n_params), flops, flops)


def read_candidates(table: RunTable, known: Knowledge, *, price: str = "flops") -> Candidates:
    """Take candidate runs, and their prices, from a table.

    Args:
        table: n_params, n_tokens, and the price column; flops are 6ND, or as the fitted runs
            spent them, where not recorded.
        known: the law, for what a token costs.
        price: column of the price, such as gpu_hours or dollars.

    Raises:
        RunTableError: a missing column, or an amount that is not positive.
    """
    for name in ("n_params", "n_tokens", *(() if price == "flops" else (price,))):
        if name not in table:
            raise RunTableError(
                f"candidate runs need column `{name}`; found {', '.join(table.columns)}",
                source=table.source,
            )
    n_params, n_tokens = table.numbers("n_params"), table.numbers("n_tokens")
    spent = known.cost.flops_per_token(n_params) * n_tokens
    flops = table.numbers("flops") if "flops" in table else spent
    prices = flops if price == "flops" else table.numbers(price)
    for name, amounts in (("n_params", n_params), ("n_tokens", n_tokens), (price, prices)):
        bad = np.flatnonzero(~(np.isfinite(amounts) & (amounts > 0)))
        if bad.size:
            raise RunTableError(
                f"found {amounts[bad[0]]:g}, expected a positive amount",
                source=table.source,
                row=int(table.rows[bad[0]]),
                field=name,
            )
    unit = "FLOPs" if price == "flops" else price
    return Candidates(n_params, n_tokens, flops, prices, unit)
